"""Do pipelines, settings, stats and signals written for Scrapy work, or say what to use?"""

from __future__ import annotations

import asyncio
import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from itemadapter import ItemAdapter
from itemloaders.processors import Identity, Join, MapCompose, TakeFirst
from twisted.internet.defer import inlineCallbacks

import crawler as scrapy
from crawler import DropItem, ItemLoader, UsageError, signals
from crawler.events import SpiderFailed
from crawler.testing import crawl

ROOT = "http://shop.test/"
PAGE = (
    "<h1>A <b>thing</b></h1><p class=price>£ 12</p><p class=price>old: 15</p><i>x</i><i>y</i><div id=n><a>in</a></div>"
)


class Product(scrapy.Item):
    name = scrapy.Field()
    price = scrapy.Field(serializer=str)
    last_updated = scrapy.Field()


class OneProduct(scrapy.Spider):
    name = "one"
    start_urls = [ROOT]

    def parse(self, response):  # type: ignore[no-untyped-def]
        for price in (10, 0, 30):
            item = Product(name="thing")
            item["price"] = price
            yield item


def test_declared_items() -> None:
    product = Product(name="Desktop PC", price=1000)
    assert product["name"] == product.get("name") == "Desktop PC"
    assert product.get("last_updated", "not set") == "not set"
    assert "last_updated" in product.fields
    assert "last_updated" not in product
    with pytest.raises(KeyError, match="lala"):
        product["lala"] = "test"
    assert dict(product.copy()) == {"price": 1000, "name": "Desktop PC"}
    assert list(ItemAdapter(product).field_names()) == ["name", "price", "last_updated"]
    assert ItemAdapter(product).get_field_meta("price")["serializer"] is str


class PricePipeline:
    vat_factor = 2

    def process_item(self, item, spider):  # type: ignore[no-untyped-def]
        adapter = ItemAdapter(item)
        if not adapter.get("price"):
            raise DropItem("Missing price")
        adapter["price"] = adapter["price"] * self.vat_factor
        return item


class JsonWriterPipeline:
    """As in Scrapy's documentation, with from_crawler and a declared setting."""

    JSON_PATH: str = "items.jsonl"

    def __init__(self, path: str, stats: Any) -> None:
        self.path = path
        self.stats = stats

    @classmethod
    def from_crawler(cls, crawler):  # type: ignore[no-untyped-def]
        return cls(path=crawler.settings.get("JSON_PATH", "items.jsonl"), stats=crawler.stats)

    def open_spider(self, spider):  # type: ignore[no-untyped-def]
        assert spider.name == "one"
        self.file = Path(self.path).open("w", encoding="utf-8")  # noqa: SIM115  as in Scrapy's documentation

    def close_spider(self, spider):  # type: ignore[no-untyped-def]
        self.file.close()

    def process_item(self, item, spider):  # type: ignore[no-untyped-def]
        self.file.write(json.dumps(ItemAdapter(item).asdict()) + "\n")
        self.stats.inc_value("written")
        return item


class AsyncPipeline:
    async def process_item(self, item, spider):  # type: ignore[no-untyped-def]
        response = await spider.crawler.engine.download(scrapy.Request(ROOT + "stamp"))
        item["last_updated"] = response.text
        return item


def test_item_pipelines(tmp_path: Path) -> None:
    settings = {
        "ITEM_PIPELINES": {JsonWriterPipeline: 800, PricePipeline: 300, AsyncPipeline: 500},
        "JSON_PATH": str(tmp_path / "out.jsonl"),
    }
    result = crawl(OneProduct, {ROOT: PAGE, ROOT + "stamp": "now"}, settings=settings)
    assert [(item["price"], item["last_updated"]) for item in result.items] == [(20, "now"), (60, "now")]
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["price"] for line in lines) == [20, 60]
    assert result.summary.stats["item_dropped_count"] == 1
    assert result.summary.stats["written"] == 2


class DuplicatesPipeline:
    def __init__(self):  # type: ignore[no-untyped-def]
        self.names_seen = set()

    def process_item(self, item, spider):  # type: ignore[no-untyped-def]
        if item["name"] in self.names_seen:
            raise DropItem(f"Duplicate item found: {item!r}")
        self.names_seen.add(item["name"])
        return item


def test_pipelines_of_one_spider_by_custom_settings_and_dotted_path() -> None:
    class Own(OneProduct):
        name = "own"
        custom_settings = {"ITEM_PIPELINES": {f"{__name__}.DuplicatesPipeline": 100}, "DOWNLOAD_DELAY": 0.25}

    result = crawl(Own, {ROOT: PAGE})
    assert len(result.items) == 1
    assert result.spider.settings.getfloat("DOWNLOAD_DELAY") == 0.25


def test_item_loader_with_processors_on_class_fields_and_nested() -> None:
    class Loaded(scrapy.Item):
        name = scrapy.Field(input_processor=MapCompose(str.strip), output_processor=Join())
        price = scrapy.Field(output_processor=TakeFirst())
        tags = scrapy.Field()
        url = scrapy.Field()
        inner = scrapy.Field()

    class ThingLoader(ItemLoader):
        default_item_class = Loaded
        default_output_processor = TakeFirst()
        price_in = MapCompose(lambda text: text.replace("£", "").strip(), int)
        tags_out = Identity()

    class LoaderSpider(scrapy.Spider):
        name = "loader"
        start_urls = [ROOT]

        def parse(self, response):  # type: ignore[no-untyped-def]
            loader = ThingLoader(response=response)
            loader.add_css("name", "h1 ::text")
            loader.add_css("price", "p.price::text", re=r"£ \d+")
            loader.add_xpath("tags", "//i/text()")
            loader.add_value("url", response.url)
            loader.nested_css("#n").add_css("inner", "a::text")
            yield loader.load_item()
            plain = ItemLoader(item={"a": 1}, selector=response.css("div")[0])
            plain.add_xpath("b", "./a/text()")
            yield plain.load_item()

    result = crawl(LoaderSpider, {ROOT: PAGE})
    assert result.summary.exit_status == 0, result.happened(SpiderFailed)
    assert result.items[0] == {"name": "A thing", "price": 12, "tags": ["x", "y"], "url": ROOT, "inner": "in"}
    assert result.items[1] == {"a": [1], "b": ["in"]}


def test_from_crawler_settings_stats_and_signals() -> None:
    heard: list[Any] = []

    class Listening(OneProduct):
        name = "listening"

        @classmethod
        def from_crawler(cls, crawler, *args, **kwargs):  # type: ignore[no-untyped-def]
            spider = super().from_crawler(crawler, *args, **kwargs)
            spider.limit = crawler.settings.getint("CONCURRENT_REQUESTS")
            crawler.signals.connect(spider.spider_opened, signal=signals.spider_opened)
            crawler.signals.connect(spider.spider_closed, signal=signals.spider_closed)
            crawler.signals.connect(spider.scraped, signals.item_scraped, weak=False)
            crawler.signals.connect(lambda item, exception: heard.append(str(exception)), signals.item_dropped)
            return spider

        def spider_opened(self, spider):  # type: ignore[no-untyped-def]
            heard.append(("opened", spider is self))

        def spider_closed(self, spider, reason):  # type: ignore[no-untyped-def]
            heard.append(("closed", reason, self.crawler.stats.get_value("item_scraped_count")))

        def scraped(self, item, response, spider, **kwargs):  # type: ignore[no-untyped-def]
            spider.crawler.stats.inc_value("mine", count=2)
            self.stats.max_value("most", item["price"])

    result = crawl(Listening, {ROOT: PAGE}, settings={"PIPELINES": [PricePipeline]})
    assert heard == [("opened", True), "Missing price", ("closed", "finished", 2)]
    assert result.summary.stats["mine"] == 4
    assert result.summary.stats["most"] == 60
    assert result.spider.limit == 16  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("signal", "receiver", "says"),
    [
        (signals.spider_idle, lambda spider: None, "start.. may wait for more work"),
        (signals.response_received, lambda response: None, "response_downloaded"),
        (signals.item_scraped, lambda item, missing: None, "wants 'missing'; it can have sender, signal, spider, item"),
        (signals.spider_error, lambda failure, item: None, "wants 'item'"),
        (object(), lambda: None, "from crawler import signals"),
    ],
)
def test_a_signal_that_cannot_be_heard_is_an_error_before_the_start(signal: Any, receiver: Any, says: str) -> None:
    class Deaf(OneProduct):
        name = "deaf"

        @classmethod
        def from_crawler(cls, crawler, *args, **kwargs):  # type: ignore[no-untyped-def]
            crawler.signals.connect(receiver, signal=signal)
            return super().from_crawler(crawler, *args, **kwargs)

    with pytest.raises(UsageError, match=says):
        crawl(Deaf, {ROOT: PAGE})


def test_a_receiver_that_is_a_coroutine_is_refused() -> None:
    async def receiver(spider: Any) -> None:
        """Never awaited."""

    class Deaf(OneProduct):
        name = "deaf"

        @classmethod
        def from_crawler(cls, crawler, *args, **kwargs):  # type: ignore[no-untyped-def]
            crawler.signals.connect(receiver, signal=signals.spider_closed)
            return super().from_crawler(crawler, *args, **kwargs)

    with pytest.raises(UsageError, match="coroutine function"):
        crawl(Deaf, {ROOT: PAGE})


def test_close_spider_by_the_engine_and_by_a_pipeline() -> None:
    class Ending(scrapy.Spider):
        name = "ending"
        start_urls = [f"{ROOT}{number}" for number in range(50)]

        def parse(self, response):  # type: ignore[no-untyped-def]
            self.crawler.engine.close_spider(self, "bandwidth_exceeded")

    result = crawl(Ending, lambda request: "page", settings={"CONCURRENT_REQUESTS": 1})
    assert result.summary.reason == "bandwidth_exceeded"
    assert len(result.urls) < 5

    class Full:
        def process_item(self, item, spider):  # type: ignore[no-untyped-def]
            spider.crawler.engine.close_spider(spider, "full")
            return item

    assert crawl(OneProduct, {ROOT: PAGE}, settings={"PIPELINES": [Full]}).summary.reason == "full"


def test_update_settings() -> None:
    class Updating(OneProduct):
        name = "updating"
        custom_settings = {"DEPTH_LIMIT": 3}

        @classmethod
        def update_settings(cls, settings):  # type: ignore[no-untyped-def]
            super().update_settings(settings)
            settings.set("DOWNLOAD_TIMEOUT", 7, priority="spider")
            settings.setdefault("DEPTH_LIMIT", 9)

    spider = crawl(Updating, {ROOT: PAGE}).spider
    assert (spider.settings["DOWNLOAD_TIMEOUT"], spider.settings.getint("DEPTH_LIMIT")) == (7, 3)


def test_attributes_that_are_settings_of_the_spider(caplog: pytest.LogCaptureFixture) -> None:
    class Polite(OneProduct):
        name = "polite"
        start_urls = [ROOT, ROOT + "2"]
        custom_settings = {"DOWNLOAD_TIMEOUT": 3}
        download_delay = 2
        user_agent = "polite (+http://a.test)"
        http_user, http_pass, http_auth_domain = "john", "secret", "shop.test"

    result = crawl(Polite, {ROOT: PAGE, ROOT + "2": PAGE})
    assert result.sent[-1].when - result.sent[-2].when >= 2
    assert result.sent[-1].request.headers["User-Agent"] == b"polite (+http://a.test)"
    assert result.sent[-1].request.headers["Authorization"].startswith(b"Basic ")
    assert result.spider.settings["DOWNLOAD_TIMEOUT"] == 3

    class Late(OneProduct):
        name = "late"

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.download_delay = 5

    crawl(Late, {ROOT: PAGE})
    assert "Late.download_delay was set too late to have an effect" in caplog.text


def test_what_scrapys_engine_has_and_ours_has_not_is_named() -> None:
    class Pushing(scrapy.Spider):
        name = "pushing"
        start_urls = [ROOT]

        def parse(self, response):  # type: ignore[no-untyped-def]
            self.crawler.engine.crawl(scrapy.Request(ROOT + "2"))

    (failed,) = crawl(Pushing, {ROOT: PAGE}).happened(SpiderFailed)
    assert "yielded by its callbacks and start()" in str(failed.error)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"DOWNLOADER_MIDDLEWARES": {f"{__name__}.PricePipeline": 543}}, "MIDDLEWARES"),
        ({"SPIDER_MIDDLEWARES": {f"{__name__}.PricePipeline": 543}}, "REQUEST_FILTERS"),
        ({"CONCURENT_REQUESTS": 1}, "CONCURRENT_REQUESTS"),
    ],
)
def test_a_setting_that_has_no_place_is_refused_with_the_reason(settings: dict[str, Any], says: str) -> None:
    class Odd(OneProduct):
        name = "odd"
        custom_settings = settings

    with pytest.raises(UsageError, match=says):
        crawl(Odd, {ROOT: PAGE})


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("CrawlerProcess", r"crawl\(SpiderClass, settings, reactor=reactor\)"),
        ("ImagesPipeline", "crawler.Images"),
        ("http", "imported from crawler itself"),
        ("TakeFirst", "itemloaders.processors"),
        ("JsonItemExporter", "FEED_FORMATS"),
        ("LxmlLinkExtractor", "LinkExtractor"),
        ("DownloadTimeoutError", "FetchTimeout"),
    ],
)
def test_a_name_of_scrapy_that_is_not_here_says_what_is_used_instead(name: str, says: str) -> None:
    with pytest.raises(ImportError, match=says):
        getattr(importlib.import_module("crawler"), name)
    with pytest.raises(ImportError, match=says):
        exec(f"from crawler import {name}")


def test_an_extension_that_only_connects_to_signals(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Any] = []

    class SpiderOpenCloseLogging:
        """As in Scrapy's documentation, with the settings declared."""

        MYEXT_ENABLED: bool = False
        MYEXT_ITEMCOUNT: int = 1000

        def __init__(self, item_count):  # type: ignore[no-untyped-def]
            self.item_count = item_count
            self.items_scraped = 0

        @classmethod
        def from_crawler(cls, crawler):  # type: ignore[no-untyped-def]
            if not crawler.settings.getbool("MYEXT_ENABLED"):
                raise scrapy.NotConfigured("MYEXT_ENABLED is off")
            extension = cls(crawler.settings.getint("MYEXT_ITEMCOUNT", 1000))
            crawler.signals.connect(extension.spider_opened, signal=signals.spider_opened)
            crawler.signals.connect(extension.item_scraped, signal=signals.item_scraped)
            return extension

        def spider_opened(self, spider):  # type: ignore[no-untyped-def]
            heard.append(spider.name)

        def item_scraped(self, item, spider):  # type: ignore[no-untyped-def]
            self.items_scraped += 1
            if self.items_scraped % self.item_count == 0:
                heard.append(self.items_scraped)

    settings = {"EXTENSIONS": {SpiderOpenCloseLogging: 500}, "MYEXT_ITEMCOUNT": 2}
    crawl(OneProduct, {ROOT: PAGE}, settings=settings)
    assert heard == []
    assert "SpiderOpenCloseLogging is left out: MYEXT_ENABLED is off" in caplog.text
    crawl(OneProduct, {ROOT: PAGE}, settings=settings | {"MYEXT_ENABLED": True})
    assert heard == ["one", 2]


def test_a_stage_that_is_not_configured_is_left_out() -> None:
    class Unwanted:
        def __init__(self) -> None:
            raise scrapy.NotConfigured

        def process_item(self, item: Any) -> None:
            """Never called."""

    assert len(crawl(OneProduct, {ROOT: PAGE}, settings={"PIPELINES": [Unwanted]}).items) == 3

    class Deaf:
        """Neither kind of extension."""

    with pytest.raises(UsageError, match="neither subscribe"):
        crawl(OneProduct, {ROOT: PAGE}, settings={"EXTENSIONS": [Deaf]})


def test_spider_error_has_the_response() -> None:
    heard: list[Any] = []

    class Failing(scrapy.Spider):
        name = "failing"
        start_urls = [ROOT]

        @classmethod
        def from_crawler(cls, crawler, *args, **kwargs):  # type: ignore[no-untyped-def]
            spider = super().from_crawler(crawler, *args, **kwargs)
            crawler.signals.connect(spider.failed, signal=signals.spider_error)
            return spider

        def failed(self, failure, response, spider):  # type: ignore[no-untyped-def]
            heard.append((failure.type, response.url, spider is self))

        def parse(self, response):  # type: ignore[no-untyped-def]
            raise ZeroDivisionError

    crawl(Failing, {ROOT: PAGE})
    assert heard == [(ZeroDivisionError, ROOT, True)]


@pytest.mark.parametrize("how", ["crawler", "engine", "reason"])
def test_a_crawl_is_stopped_without_a_reason(how: str) -> None:
    class Ending(scrapy.Spider):
        name = "ending"
        start_urls = [f"{ROOT}{number}" for number in range(50)]

        def parse(self, response):  # type: ignore[no-untyped-def]
            if how == "crawler":
                self.crawler.stop()
            elif how == "engine":
                self.crawler.engine.stop()
            else:
                self.crawler.stop("enough")

    result = crawl(Ending, lambda request: "page", settings={"CONCURRENT_REQUESTS": 1})
    assert result.summary.reason == ("enough" if how == "reason" else "shutdown")
    assert len(result.urls) < 5


def test_what_is_read_of_settings_and_stats() -> None:
    class Reading(OneProduct):
        name = "reading"

        @classmethod
        def update_settings(cls, settings):  # type: ignore[no-untyped-def]
            super().update_settings(settings)
            if settings.getbool("REDIRECT_ENABLED", True) and "DEPTH_LIMIT" not in settings:
                settings.set("DEPTH_LIMIT", settings.getint("DEPTH_LIMIT", 3) + 1)

        def parse(self, response):  # type: ignore[no-untyped-def]
            settings, stats = self.crawler.settings, self.crawler.stats
            stats.set_stats({"mine": 1}, spider=self)
            stats.inc_value("mine", spider=self)
            yield {"depth": settings.copy().getint("DEPTH_LIMIT"), "mine": stats.get_value("mine", spider=self)}
            yield {"depth": settings.copy_to_dict()["DEPTH_LIMIT"], "mine": stats.get_stats(self)["mine"]}
            stats.clear_stats()
            yield {"depth": settings.frozencopy()["DEPTH_LIMIT"], "mine": stats.get_value("mine", 0)}

    items = crawl(Reading, {ROOT: PAGE}).items
    assert items == [{"depth": 4, "mine": 2}, {"depth": 4, "mine": 2}, {"depth": 4, "mine": 0}]


def test_a_selector_of_a_response() -> None:
    page = scrapy.HtmlResponse(ROOT, body=PAGE.encode())
    for selector in (scrapy.Selector(page), scrapy.Selector(response=page), scrapy.Selector(page, type="html")):
        assert selector.css("h1 b::text").get() == "thing"
        assert selector.root is page.selector.root
    feed = scrapy.XmlResponse(ROOT, body=b"<a><b>1</b></a>")
    assert scrapy.Selector(feed).xpath("/a/b/text()").get() == "1"
    assert scrapy.Selector(feed, type="html").xpath("//body//b/text()").get() == "1"
    assert scrapy.Selector(scrapy.Response(ROOT, body=b'{"a": "1"}'), type="json").jmespath("a").get() == "1"
    with pytest.raises(ValueError, match="not both"):
        scrapy.Selector(text="<p>", response=page)


def test_what_the_engine_downloads_may_be_chained_yielded_awaited_or_returned() -> None:
    class Downloads(scrapy.Spider):
        name = "downloads"
        start_urls = [ROOT]

        def parse(self, response):  # type: ignore[no-untyped-def]
            for callback in (self.chained, self.inline, self.awaited, self.gathered):
                yield scrapy.Request(f"{ROOT}{callback.__name__}", callback)

        def download(self, path):  # type: ignore[no-untyped-def]
            return self.crawler.engine.download(scrapy.Request(ROOT + path))

        def chained(self, response):  # type: ignore[no-untyped-def]
            return self.download("missing").addCallback(lambda other: [{"chained": other.status}])

        @inlineCallbacks  # type: ignore[untyped-decorator]
        def inline(self, response):  # type: ignore[no-untyped-def]
            other = yield self.download("price")
            return [{"inline": other.text}]

        async def awaited(self, response):  # type: ignore[no-untyped-def]
            yield {"awaited": (await self.download("missing")).status}

        async def gathered(self, response):  # type: ignore[no-untyped-def]
            asked = [self.crawler.engine.download_async(scrapy.Request(ROOT + path)) for path in ("price", "missing")]
            yield {"gathered": [other.status for other in await asyncio.gather(*asked)]}

    pages = {ROOT + name: "x" for name in ("", "chained", "inline", "awaited", "gathered")}
    result = crawl(Downloads, {**pages, ROOT + "price": "20"}, settings={"ROBOTSTXT_OBEY": False})
    assert sorted(map(str, result.items)) == sorted(
        map(str, [{"chained": 404}, {"inline": "20"}, {"awaited": 404}, {"gathered": [200, 404]}])
    )
