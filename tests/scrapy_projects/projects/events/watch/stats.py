from scrapy.statscollectors import MemoryStatsCollector


class OwnStats(MemoryStatsCollector):
    def inc_value(self, key, count=1, start=0, spider=None):
        super().inc_value(key, count=count, start=start)
        if key == "item_scraped_count":
            super().inc_value("own/items", count=count, start=start)
