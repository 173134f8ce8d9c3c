import logging

from scrapy.logformatter import LogFormatter


class ShortLog(LogFormatter):
    def scraped(self, item, response, spider):
        return {"level": logging.INFO, "msg": "an item: %(place)s", "args": {"place": item.get("place")}}

    def dropped(self, item, exception, response, spider):
        return {"level": logging.DEBUG, "msg": "dropped", "args": ()}
