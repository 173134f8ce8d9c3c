import scrapy
from scrapy import signals
from scrapy.exceptions import DropItem  # noqa: F401
from scrapy.http import Request
from scrapy.signalmanager import SignalManager  # noqa: F401
from scrapy.utils.log import logger  # noqa: F401
from scrapy.utils.signal import send_catch_log  # noqa: F401

from watch.extensions import OWN


class HoursSpider(scrapy.Spider):
    name = "hours"
    start_urls = ["http://watch.example/1"]

    @classmethod
    def from_crawler(cls, crawler, *args, **kwargs):
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.on_error, signals.spider_error)
        spider.settings.set("ADDED", 1, priority="spider")
        return spider

    def on_error(self, failure, response, spider):
        self.crawler.stats.set_value("hours/error", failure.type.__name__)

    def parse(self, response):
        for n in range(4):
            yield {"n": n, "added": self.settings.getint("ADDED")}
        yield Request("http://watch.example/2?a=1", self.parse_two)
        yield Request("http://watch.example/2?a=2", self.parse_two)
        yield Request("http://watch.example/stop", self.parse_stopped)
        yield Request("http://watch.example/stop/fail", self.parse_stopped, errback=self.stopped)
        yield Request("http://watch.example/error", self.parse_error)
        self.crawler.signals.send_catch_log(OWN, what="sent")

    def parse_two(self, response):
        yield {"two": True}

    def parse_idle(self, response):
        yield {"idle": response.url}

    def parse_stopped(self, response):
        yield {"stopped": "download_stopped" in response.flags, "whole": len(response.body) > 100}

    def stopped(self, failure):
        yield {"failed": failure.type.__name__, "whole": failure.value.response.status}

    def parse_error(self, response):
        raise RuntimeError("an error of a callback")

    def closed(self, reason):
        self.crawler.stats.set_value("hours/closed", reason)


class CountedSpider(scrapy.Spider):
    """Ends by CLOSESPIDER_PAGECOUNT; one at a time, so that it ends at a page that is known."""

    name = "counted"
    custom_settings = {"CLOSESPIDER_PAGECOUNT": 4, "CONCURRENT_REQUESTS": 1, "EXTENSIONS": {}}
    start_urls = ["http://watch.example/chain/1"]

    def parse(self, response):
        number = int(response.url.rsplit("/", 1)[1])
        yield {"chain": number}
        if number < 20:
            yield response.follow(str(number + 1))
