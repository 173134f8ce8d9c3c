import json
import sys

from scrapy.utils.reactor import install_reactor

install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")

from scrapy.crawler import CrawlerRunner  # noqa: E402
from scrapy.utils.log import configure_logging  # noqa: E402
from scrapy.utils.project import get_project_settings  # noqa: E402
from twisted.internet import defer, reactor  # noqa: E402

import scrapy  # noqa: E402
from scrapy import signals  # noqa: E402

items = []


class InlineSpider(scrapy.Spider):
    name = "inline"
    start_urls = ["http://driven.example/inline"]
    custom_settings = {"FEEDS": {}}

    def parse(self, response):
        return {"inline": response.url}


def collect(item, response, spider):
    items.append(dict(item))


@defer.inlineCallbacks
def crawl(runner):
    crawler = runner.create_crawler(InlineSpider)
    crawler.signals.connect(collect, signal=signals.item_scraped)
    yield runner.crawl(crawler)
    crawler = runner.create_crawler("first")
    crawler.signals.connect(collect, signal=signals.item_scraped)
    yield runner.crawl(crawler, "positional")
    with open("items.json", "w") as file:
        json.dump([*items, {"stats": crawler.stats.get_value("item_scraped_count")}], file)
    reactor.stop()


if __name__ == "__main__":
    configure_logging({"LOG_FORMAT": "%(levelname)s: %(message)s"})
    crawl(CrawlerRunner(get_project_settings()))
    reactor.run()
    sys.exit(3)
