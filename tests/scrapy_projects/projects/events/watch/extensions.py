import logging
from collections import defaultdict

from scrapy import Request, signals
from scrapy.exceptions import DontCloseSpider, NotConfigured, StopDownload

logger = logging.getLogger(__name__)
NAMES = [
    "engine_started", "spider_opened", "spider_closed", "spider_error", "request_scheduled",
    "request_dropped", "request_reached_downloader", "request_left_downloader", "response_received",
    "response_downloaded", "headers_received", "item_scraped", "item_dropped", "item_error",
    "feed_slot_closed", "feed_exporter_closed", "scheduler_empty",
]


class EverySignal:
    """Counts every signal with what comes along."""

    def __init__(self, crawler):
        self.crawler = crawler
        self.keep = []
        for name in NAMES:
            def receiver(name=name, **kwargs):
                if name == "scheduler_empty":
                    return
                kwargs.pop("signal", None), kwargs.pop("sender", None)
                crawler.stats.inc_value("signals/" + name)
                crawler.stats.set_value("signals/" + name + "/with", ",".join(sorted(kwargs)))

            self.keep.append(receiver)
            crawler.signals.connect(receiver, signal=getattr(signals, name))
        crawler.signals.connect(self.bytes_received, signals.bytes_received)
        crawler.signals.connect(self.gone, signals.item_scraped)
        crawler.signals.disconnect(self.gone, signals.item_scraped)
        crawler.signals.connect(self.own, signal=OWN)

    @classmethod
    def from_crawler(cls, crawler):
        return cls(crawler)

    def bytes_received(self, data, request, spider):
        if "/stop" in request.url:
            raise StopDownload(fail=request.url.endswith("fail"))

    def gone(self, item):
        self.crawler.stats.inc_value("signals/gone")

    def own(self, what):
        self.crawler.stats.inc_value("signals/own/" + what)
        raise ValueError("an error of a receiver is logged, and no more")


OWN = object()


class ItemCountLogger:
    def __init__(self, item_count):
        self.item_count = item_count
        self.items_scraped = defaultdict(int)

    @classmethod
    def from_crawler(cls, crawler):
        # first check if the extension should be enabled and raise
        # NotConfigured otherwise
        if not crawler.settings.getbool("MYEXT_ENABLED"):
            raise NotConfigured
        ext = cls(crawler.settings.getint("MYEXT_ITEMCOUNT", 1000))
        crawler.signals.connect(ext.spider_opened, signal=signals.spider_opened)
        crawler.signals.connect(ext.item_scraped, signal=signals.item_scraped)
        crawler.signals.connect(ext.spider_idle, signal=signals.spider_idle)
        ext.stats = crawler.stats
        ext.more = [f"http://watch.example/idle/{n}" for n in range(3)]
        ext.crawler = crawler
        return ext

    def spider_opened(self, spider):
        logger.info("opened spider %s", spider.name)

    async def item_scraped(self, item, response, spider):
        self.items_scraped[spider.name] += 1
        if self.items_scraped[spider.name] % self.item_count == 0:
            self.stats.max_value("myext/most", self.items_scraped[spider.name])

    def spider_idle(self, spider):
        self.stats.inc_value("myext/idle")
        if spider.name == "hours" and self.more:
            self.crawler.engine.crawl(Request(self.more.pop(0), callback=spider.parse_idle))
            raise DontCloseSpider


class Disabled:
    @classmethod
    def from_crawler(cls, crawler):
        raise NotConfigured("not here")


class Fetcher:
    """Fetches a page when the spider opens, and a 404, by the engine; and pauses it for a moment."""

    def __init__(self, crawler):
        self.crawler = crawler
        crawler.signals.connect(self.opened, signal=signals.spider_opened)

    @classmethod
    def from_crawler(cls, crawler):
        return cls(crawler)

    async def opened(self, spider):
        for place in ("side", "missing"):
            request = Request(f"http://watch.example/{place}")
            response = await self.crawler.engine.download_async(request)
            self.crawler.stats.set_value(f"fetcher/{place}", response.status)
        self.crawler.engine.pause()
        self.crawler.engine.unpause()
        assert self.crawler.request_fingerprinter.fingerprint(request)
