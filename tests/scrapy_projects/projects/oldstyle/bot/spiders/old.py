# -*- coding: utf-8 -*-
import json
import re

import scrapy
from scrapy.http import FormRequest, HtmlResponse, Request
from scrapy.linkextractors import LinkExtractor
from scrapy.selector import Selector
from scrapy.spiders import CrawlSpider, Rule, Spider
from scrapy.utils.response import open_in_browser  # noqa: F401

from bot.items import BotItem


class OldSpider(Spider):
    name = 'old'
    allowed_domains = ['old.example']
    custom_settings = {'DOWNLOAD_DELAY': 0}
    page = 1

    def __init__(self, category='all', *args, **kwargs):
        super(OldSpider, self).__init__(*args, **kwargs)
        self.base_url = 'http://www.old.example/list?category=%s&page=%d'
        self.category = category

    def start_requests(self):
        for page in range(1, 3):
            yield Request(self.base_url % (self.category, page), callback=self.parse, dont_filter=True,
                          headers={'X-Requested-With': 'XMLHttpRequest'}, meta={'page': page})

    async def start(self):
        for request in self.start_requests():
            yield request

    def parse(self, response):
        hxs = Selector(response)
        for row in hxs.xpath('//div[@class="row"]'):
            item = BotItem()
            item['title'] = row.xpath('.//a/text()').extract()[0].strip()
            item['link'] = response.urljoin(row.xpath('.//a/@href').extract_first())
            request = Request(item['link'], callback=self.parse_detail)
            request.meta['item'] = item
            yield request
        next_page = hxs.xpath('//a[@id="next"]/@href').extract()
        if next_page:
            yield scrapy.Request(response.urljoin(next_page[0]), self.parse)

    def parse_detail(self, response):
        item = response.meta['item']
        item['price'] = ''.join(response.xpath('//span[@class="price"]/text()').extract())
        item['image_urls'] = response.css('img::attr(src)').extract()
        data = re.findall(r'var data = (\{.*?\});', response.text)
        if data:
            item['title'] += ' ' + json.loads(data[0])['name']
        inner = HtmlResponse(url=response.url, body='<p>inner</p>', encoding='utf-8')
        self.log(inner.css('p::text').extract_first())
        yield item


class OldCrawl(CrawlSpider):
    name = 'oldcrawl'
    allowed_domains = ['old.example']
    start_urls = ['http://www.old.example/list?category=all&page=1']
    rules = (
        Rule(LinkExtractor(allow=(), restrict_xpaths=('//a[@id="next"]',)), callback='parse_list', follow=True),
    )

    def parse_start_url(self, response):
        return self.parse_list(response)

    def parse_list(self, response):
        sel = Selector(text=response.body.decode('utf-8'))
        for title in sel.css('.row a::text').extract():
            yield BotItem(title=title.strip() + response.url[-1])


class OldForm(scrapy.Spider):
    name = 'oldform'

    def start_requests(self):
        return [FormRequest('http://www.old.example/form', formdata={'user': 'john', 'pass': 'secret'},
                            callback=self.logged_in)]

    async def start(self):
        for request in self.start_requests():
            yield request

    def logged_in(self, response):
        return BotItem(title=response.xpath('//h1/text()').extract()[0], price=response.headers['X-Answer'].decode())
