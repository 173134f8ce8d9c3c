# -*- coding: utf-8 -*-
import re

import scrapy
from scrapy.linkextractors import LinkExtractor
from scrapy.spiders import CrawlSpider, Rule

from store.items import Product


def drop_prints(links):
    return [link for link in links if "print=1" not in link.url]


class ProductsSpider(CrawlSpider):
    name = "products"
    allowed_domains = ["store.example"]
    start_urls = ["http://www.store.example/"]

    rules = (
        Rule(LinkExtractor(allow=r"/category/\w+$", deny=(r"/category/hidden",)), follow=True, callback=None),
        Rule(LinkExtractor(restrict_xpaths="//ul[@class='pages']"), process_links=drop_prints),
        Rule(LinkExtractor(allow=(r"/product/\d+",), restrict_css=("div.list",), unique=True), callback="parse_product",
             cb_kwargs={"source": "list"}, process_request="tag_request", follow=False),
        Rule(LinkExtractor(allow=r"/broken/", tags=("a", "area", "img"), attrs=("href", "src")), callback="parse_broken",
             errback="failed"),
    )

    def parse_start_url(self, response, **kwargs):
        yield Product(name="start", price="$0.5", url=response.url)

    def process_results(self, response, results):
        return list(results)

    def tag_request(self, request, response):
        if "/product/7" in request.url:
            return None
        return request.replace(url=request.url + "?from=" + str(response.meta.get("depth", 0)))

    def parse_product(self, response, source):
        item = Product()
        item["name"] = response.css("h1::text").get()
        item["price"] = response.css(".price::text").get()
        item["url"] = response.url.split("?")[0]
        item["link_text"] = response.meta["link_text"]
        item["category"] = re.search(r"Category: (\w+)", response.text).group(1)
        item["related"] = [
            link.url for link in LinkExtractor(restrict_css=".related", canonicalize=True).extract_links(response)
        ]
        item["depth"] = response.meta["depth"] > 0
        yield item
        yield scrapy.Request("http://elsewhere.example/offsite", callback=self.parse_product)
        yield scrapy.Request("http://store.example/" + "x" * 300)

    def parse_broken(self, response):
        yield {"name": response.url, "price": "$1"}

    def failed(self, failure):
        yield {"name": "failed " + failure.value.response.url, "price": str(failure.value.response.status)}
