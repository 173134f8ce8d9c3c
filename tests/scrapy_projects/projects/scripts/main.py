from scrapy.crawler import CrawlerProcess
from scrapy.utils.project import get_project_settings

from driven.spiders.pair import FirstSpider

if __name__ == "__main__":
    settings = get_project_settings()
    settings.set("DEPTH_LIMIT", 7)
    process = CrawlerProcess(settings)
    # 'second' is the name of one of the spiders of the project.
    process.crawl("second")
    process.crawl(FirstSpider, word="wörd")
    crawler = process.create_crawler(FirstSpider)
    process.start()  # the script will block here until the crawling is finished
    with open("done.txt", "w") as file:
        file.write(f"{crawler.spidercls.name} {sorted(process.spider_loader.list())} {process.bootstrap_failed}\n")
