import scrapy

from crawler.items import PageItem

from ..tools.places import START


class PagesSpider(scrapy.Spider):
    name = "pages"
    start_urls = [START]

    def parse(self, response):
        yield PageItem(url=response.url, title=response.xpath("//title/text()").get())
        yield from response.follow_all(xpath="//a", callback=self.parse)
