# -*- coding: utf-8 -*-
from scrapy import signals
from scrapy.exceptions import DropItem
from scrapy.exporters import CsvItemExporter


class BotPipeline(object):
    seen = set()

    def process_item(self, item, spider):
        if item['title'] in self.seen:
            raise DropItem("Duplicate item found: %s" % item)
        self.seen.add(item['title'])
        if 'price' in item and item['price']:
            item['price'] = item['price'].replace('$', '')
        return item


class CsvPipeline(object):
    @classmethod
    def from_crawler(cls, crawler):
        pipeline = cls()
        crawler.signals.connect(pipeline.spider_opened, signals.spider_opened)
        crawler.signals.connect(pipeline.spider_closed, signals.spider_closed)
        return pipeline

    def spider_opened(self, spider):
        self.file = open('%s_items.csv' % spider.name, 'w+b')
        self.exporter = CsvItemExporter(self.file)
        self.exporter.fields_to_export = ['title', 'price']
        self.exporter.start_exporting()

    def spider_closed(self, spider):
        self.exporter.finish_exporting()
        self.file.close()

    def process_item(self, item, spider):
        self.exporter.export_item(item)
        return item
