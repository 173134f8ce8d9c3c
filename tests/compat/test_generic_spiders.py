"""Do spiders on Scrapy's generic spiders run with only their imports changed?"""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterable
from typing import Any

import pytest

import crawler as scrapy
from crawler import CrawlSpider, CSVFeedSpider, LinkExtractor, Rule, SitemapSpider, XMLFeedSpider
from crawler.events import SpiderFailed
from crawler.storage.codec import Codec
from crawler.testing import Result, crawl
from tests.storage.support import can_store

ROOT = "http://www.example.test/"


def links(*hrefs: str) -> str:
    return "".join(f'<a href="{href}">text of {href}</a>' for href in hrefs)


SHOP = {
    ROOT: links("category.php?id=1", "category.php?id=2", "subsection.php", "item.php?id=1"),
    ROOT + "category.php?id=1": links("item.php?id=1", "item.php?id=2", "category.php?id=2"),
    ROOT + "category.php?id=2": links("item.php?id=3"),
    ROOT + "subsection.php": links("item.php?id=9"),
    **{ROOT + f"item.php?id={n}": f"<p id=item_id>ID: {n}</p>" + links(f"item.php?id={n + 10}") for n in range(1, 10)},
}


def xml(body: str) -> scrapy.Response:
    return scrapy.Response("http://x.test/", headers={"Content-Type": "application/xml"}, body=body.encode())


def ok(result: Result) -> list[Any]:
    assert result.summary.exit_status == 0, [each.traceback for each in result.happened(SpiderFailed)]
    return result.items


def test_crawl_spider_with_rules() -> None:
    class MySpider(CrawlSpider):
        name = "example.test"
        allowed_domains = ["example.test"]
        start_urls = [ROOT]
        rules = (
            Rule(LinkExtractor(allow=(r"category\.php",), deny=(r"subsection\.php",))),
            Rule(LinkExtractor(allow=(r"item\.php",)), callback="parse_item", cb_kwargs={"kind": "item"}),
        )

        def parse_item(self, response, kind):  # type: ignore[no-untyped-def]
            self.logger.info("Hi, this is an item page! %s", response.url)
            item = {"kind": kind, "link_text": response.meta["link_text"]}
            item["id"] = response.xpath('//p[@id="item_id"]/text()').re(r"ID: (\d+)")
            return item

    result = crawl(MySpider, SHOP)
    assert sorted(item["id"] for item in ok(result)) == [["1"], ["2"], ["3"]]
    assert result.items[0]["link_text"].startswith("text of item.php")
    assert ROOT + "subsection.php" not in result.urls  # no rule extracts it
    assert ROOT + "item.php?id=11" not in result.urls  # a rule with a callback does not follow


def test_crawl_spider_with_every_hook() -> None:
    def only_even(value: str) -> str | None:
        return value if value.rpartition("=")[2] in "2468" else None

    class Hooks(CrawlSpider):
        name = "hooks"
        start_urls = [ROOT, ROOT + "category.php?id=1"]

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.rules = (
                Rule(
                    LinkExtractor(restrict_css="a", process_value=only_even),
                    callback=self.parse_page,
                    errback="failed",
                    follow=True,
                    process_links="add_session",
                    process_request="mark",
                ),
            )
            super().__init__(*args, **kwargs)
            self._compile_rules()

        def add_session(self, links):  # type: ignore[no-untyped-def]
            for link in links:
                link.url += "&s=1"
            return links

        def mark(self, request, response):  # type: ignore[no-untyped-def]
            if "id=4" in request.url:
                return None
            return request.replace(meta={**request.meta, "found_on": response.url})

        def parse_start_url(self, response):  # type: ignore[no-untyped-def, override]
            return [{"start": response.url}]

        async def parse_page(self, response):  # type: ignore[no-untyped-def]
            yield {"page": response.url, "found_on": response.meta["found_on"]}

        def failed(self, failure):  # type: ignore[no-untyped-def]
            yield {"failed": failure.value.response.url}

        def process_results(self, response, results):  # type: ignore[no-untyped-def]
            return [{**result, "processed": True} for result in results]

    items = ok(crawl(Hooks, {**SHOP, ROOT + "category.php?id=2&s=1": links("item.php?id=2", "x?id=4")}))
    assert {"start": ROOT, "processed": True} in items
    [found] = [item for item in items if item.get("page") == ROOT + "category.php?id=2&s=1"]
    # Both start pages have the link. A callback that takes long on a busy machine lets the other one go first.
    assert found["processed"]
    assert found["found_on"] in {ROOT, ROOT + "category.php?id=1"}
    assert {"failed": ROOT + "item.php?id=2&s=1"} in items
    assert not any("id=4" in str(item) for item in items)


CHAIN = {ROOT: links("a"), ROOT + "a": links("b"), ROOT + "b": "end"}


@pytest.mark.parametrize("named", ["parse", "parse_item", None])
def test_a_crawl_spider_may_have_a_parse_of_its_own(named: str | None) -> None:
    class Own(CrawlSpider):
        name = "own"
        start_urls = [ROOT]
        rules = [Rule(LinkExtractor(), callback=named, follow=True)]

        def parse(self, response):  # type: ignore[no-untyped-def]
            yield {"parse": response.url}

        def parse_item(self, response):  # type: ignore[no-untyped-def]
            yield {"parse_item": response.url}

    result = crawl(Own, CHAIN)
    assert ok(result) == ([{named: ROOT + "a"}, {named: ROOT + "b"}] if named else [])
    assert result.urls == [ROOT, ROOT + "a", ROOT + "b"]


def test_a_crawl_spiders_requests_go_where_they_say() -> None:
    """As in Scrapy 2.19: a request that names parse gets it; one that names nothing gets the rules."""

    class Mixed(CrawlSpider):
        name = "mixed"
        rules = [Rule(LinkExtractor(allow="/b$"), callback="parse_b")]

        def start_requests(self):  # type: ignore[no-untyped-def]
            yield scrapy.Request(ROOT, self.parse)

        def parse(self, response):  # type: ignore[no-untyped-def, override]
            yield {"parse": response.url}
            yield scrapy.Request(ROOT + "a")

        def parse_b(self, response):  # type: ignore[no-untyped-def]
            yield {"parse_b": response.url}

    assert ok(crawl(Mixed, CHAIN)) == [{"parse": ROOT}, {"parse_b": ROOT + "b"}]


@pytest.mark.parametrize("kind", [XMLFeedSpider, CSVFeedSpider])
def test_a_feed_spider_may_have_a_parse_of_its_own(kind: Any) -> None:
    def parse(self: Any, response: scrapy.Response) -> None:
        raise AssertionError("nothing names it")

    def found(self: Any, response: scrapy.Response, row: Any) -> dict[str, str]:
        return {"a": "1"}

    own = type(
        "Own", (kind,), {"name": "own", "start_urls": [ROOT], "parse": parse, "parse_node": found, "parse_row": found}
    )
    body = "<r><item/></r>" if kind is XMLFeedSpider else "a\n1\n"
    assert ok(crawl(own, {ROOT: body})) == [{"a": "1"}]


def test_a_rule_that_names_no_method_is_an_error() -> None:
    class Wrong(CrawlSpider):
        name = "wrong"
        start_urls = [ROOT]
        rules = [Rule(LinkExtractor(allow="category"), callback="parse_itm")]

    (failed, *_) = crawl(Wrong, SHOP).happened(SpiderFailed)
    assert "names 'parse_itm', which is none of its methods" in str(failed.error)


URLSET = '<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml">{}</urlset>'
INDEX = '<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{}</sitemapindex>'


def urlset(*locs: str) -> str:
    return URLSET.format("".join(f"<url><loc>\n {loc} </loc><lastmod>2024-0{n}-01</lastmod></url>"
                                 for n, loc in enumerate(locs, 1)))  # fmt: skip


def test_sitemap_spider_from_robots_over_an_index_to_a_gzipped_map() -> None:
    class MySpider(SitemapSpider):
        name = "sitemaps"
        sitemap_urls = [ROOT + "robots.txt"]
        sitemap_rules = [("/product/", "parse_product"), ("/category/", "parse_category")]
        sitemap_follow = ["/sitemap_shop"]
        other_urls = [ROOT + "about"]

        async def start(self):  # type: ignore[no-untyped-def]
            async for item_or_request in super().start():
                yield item_or_request
            for url in self.other_urls:
                yield scrapy.Request(url, self.parse_other)

        def parse_product(self, response):  # type: ignore[no-untyped-def]
            yield {"product": response.url}

        def parse_category(self, response):  # type: ignore[no-untyped-def]
            yield {"category": response.url}

        def parse_other(self, response):  # type: ignore[no-untyped-def]
            yield {"other": response.url}

    index = INDEX.format(
        f"<sitemap><loc>{ROOT}sitemap_shop.xml.gz</loc></sitemap><sitemap><loc>{ROOT}other.xml</loc></sitemap>"
    )
    packed = gzip.compress(urlset(ROOT + "product/1", ROOT + "category/1", ROOT + "blog/1").encode())
    site: dict[str, Any] = {
        ROOT + "robots.txt": f"User-agent: *\nDisallow:\nSitemap: /index.xml\nsitemap: {ROOT}gone.xml",
        ROOT + "index.xml": xml(index).replace(url=ROOT + "index.xml"),
        ROOT + "sitemap_shop.xml.gz": scrapy.Response(
            ROOT + "sitemap_shop.xml.gz", headers={"Content-Type": "application/gzip"}, body=packed
        ),
        ROOT + "product/1": "p",
        ROOT + "category/1": "c",
        ROOT + "about": "a",
    }
    result = crawl(MySpider, site)
    assert sorted(str(item) for item in ok(result)) == [
        f"{{'category': '{ROOT}category/1'}}", f"{{'other': '{ROOT}about'}}", f"{{'product': '{ROOT}product/1'}}",
    ]  # fmt: skip
    assert ROOT + "other.xml" not in result.urls


@pytest.mark.parametrize("kind", ["text/html", "text/plain", "application/x-xml", "application/octet-stream", ""])
def test_a_sitemap_is_known_by_what_it_is(kind: str) -> None:
    class Sniffing(SitemapSpider):
        name = "sniffing"
        sitemap_urls = [ROOT + "index", ROOT + "sitemap.txt"]

        def parse(self, response):  # type: ignore[no-untyped-def]
            yield {"url": response.url}

    def sent(body: str) -> scrapy.Response:
        return scrapy.Response(ROOT, headers={"Content-Type": kind}, body=body.encode())

    index, inner = (INDEX.format(f"<sitemap><loc>{ROOT}{name}</loc></sitemap>") for name in ("in", "s?a&b"))
    site = {
        ROOT + "index": sent(index),
        ROOT + "in": sent(inner),
        ROOT + "s?a&b": sent(urlset(ROOT + "p?a=1&b=2")),
        ROOT + "sitemap.txt": sent(f"\ufeff{ROOT}q\r\n"),
    }
    items = ok(crawl(Sniffing, {**site, ROOT + "p?a=1&b=2": "p", ROOT + "q": "q"}))
    assert sorted(item["url"] for item in items) == [ROOT + "p?a=1&b=2", ROOT + "q"]


def test_sitemap_filter_and_alternate_links() -> None:
    class FilteredSitemapSpider(SitemapSpider):
        name = "filtered"
        sitemap_urls = [ROOT + "sitemap.xml"]
        sitemap_alternate_links = True

        def sitemap_filter(self, entries):  # type: ignore[no-untyped-def]
            for entry in entries:
                if entry.get("lastmod", "") >= "2024-02":
                    yield entry

        def parse(self, response):  # type: ignore[no-untyped-def]
            yield {"url": response.url}

    link = f'<xhtml:link rel="alternate" hreflang="de" href="{ROOT}de"/>'
    alternate = f"<url><loc>{ROOT}en</loc><lastmod>2025</lastmod>{link}</url>"
    body = urlset(ROOT + "old", ROOT + "new").replace("</urlset>", alternate + "</urlset>")
    site = {ROOT + "sitemap.xml": body, ROOT + "new": "n", ROOT + "en": "e", ROOT + "de": "d"}
    assert sorted(item["url"] for item in ok(crawl(FilteredSitemapSpider, site))) == [
        ROOT + w for w in ("de", "en", "new")
    ]


def test_xml_feed_spider() -> None:
    class MySpider(XMLFeedSpider):
        name = "xmlfeed"
        start_urls = [ROOT + "feed.xml"]
        iterator = "iternodes"
        itertag = "item"

        def adapt_response(self, response):  # type: ignore[no-untyped-def]
            return response.replace(body=response.body.replace(b"Old", b"New"))

        def parse_node(self, response, node):  # type: ignore[no-untyped-def]
            item = {"id": node.xpath("@id").get(), "name": node.xpath("name/text()").get()}
            item["description"] = node.xpath("description").get()
            return item

        def process_results(self, response, results):  # type: ignore[no-untyped-def]
            return [result for result in results if result["id"] != "2"]

    feed = '<rss><channel><title>t</title>{}</channel></rss>'.format("".join(
        f'<item id="{n}"><name>Old {n}</name><description>&lt;b&gt; é</description></item>' for n in (1, 2, 3)
    ))  # fmt: skip
    for how in ("iternodes", "xml"):
        MySpider.iterator = how
        items = ok(crawl(MySpider, {ROOT + "feed.xml": xml(feed)}))
        assert items == [
            {"id": "1", "name": "New 1", "description": "<description>&lt;b&gt; é</description>"},
            {"id": "3", "name": "New 3", "description": "<description>&lt;b&gt; é</description>"},
        ]


def test_xml_feed_spider_with_namespaces() -> None:
    class Feed(XMLFeedSpider):
        name = "namespaces"
        start_urls = [ROOT + "feed.xml"]
        namespaces = [("n", "http://www.sitemaps.org/schemas/sitemap/0.9")]
        itertag = "n:url"

        def parse_node(self, response, node):  # type: ignore[no-untyped-def]
            yield {"loc": node.xpath("n:loc/text()").get().strip()}

    for how in ("iternodes", "xml"):
        Feed.iterator = how
        items = ok(crawl(Feed, {ROOT + "feed.xml": xml(urlset("http://a/1", "http://a/2"))}))
        assert items == [{"loc": "http://a/1"}, {"loc": "http://a/2"}]


def test_csv_feed_spider() -> None:
    class MySpider(CSVFeedSpider):
        name = "csvfeed"
        start_urls = [ROOT + "feed.csv"]
        delimiter = ";"
        quotechar = "'"
        headers = ["id", "name", "description"]

        def parse_row(self, response, row):  # type: ignore[no-untyped-def]
            self.logger.info("Hi, this is a row!: %r", row)
            yield {"id": row["id"], "name": row["name"]}

    text = "1;'a;b';x\n2;c\n\n3;d;y\n"
    assert ok(crawl(MySpider, {ROOT + "feed.csv": text})) == [{"id": "1", "name": "a;b"}, {"id": "3", "name": "d"}]
    MySpider.headers = None  # type: ignore[assignment]
    text = "\ufeffid;name\n7;'two\nlines'\n"
    assert ok(crawl(MySpider, {ROOT + "feed.csv": text})) == [{"id": "7", "name": "two\nlines"}]


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<!DOCTYPE rss [<!ENTITY l0 "lol">{LAUGHS}]><rss><item a="&l9;">&l9;</item></rss>'


@pytest.mark.parametrize("iterator", ["iternodes", "xml", "html"])
@pytest.mark.parametrize("kind", ["application/xml", "text/plain"])
def test_a_hostile_feed_costs_nothing(iterator: str, kind: str) -> None:
    class Feed(XMLFeedSpider):
        name = "hostile"
        start_urls = [ROOT + "feed"]

        def parse_node(self, response, node):  # type: ignore[no-untyped-def]
            yield {"size": len(node.get())}

    Feed.iterator = iterator
    feed = scrapy.Response(ROOT + "feed", headers={"Content-Type": kind}, body=BOMB.encode())
    begun = time.process_time()
    result = crawl(Feed, {ROOT + "feed": feed})
    assert time.process_time() - begun < 1
    assert all(item["size"] < 1000 for item in result.items)
    if iterator == "iternodes":
        (failed,) = result.happened(SpiderFailed)
        assert "declares entities" in str(failed.error)


class Walking(CrawlSpider):
    name = "walking"
    start_urls = [ROOT]
    rules = [Rule(LinkExtractor(allow="category")), Rule(LinkExtractor(allow="item"), callback="parse_item")]

    def parse_item(self, response):  # type: ignore[no-untyped-def]
        yield {"url": response.url}


async def collect(results: AsyncIterable[Any]) -> list[Any]:
    return [result async for result in results]


def test_the_requests_of_generic_spiders_can_be_kept_by_a_job() -> None:
    spider = Walking()
    codec = Codec(spider)
    page = scrapy.Response(ROOT, headers={"Content-Type": "text/html"}, body=SHOP[ROOT].encode())
    page.request = scrapy.Request(ROOT)
    requests = list(spider.parse(page))
    assert len(requests) == 3
    sitemaps = SitemapSpider(sitemap_urls=[ROOT])
    (first,) = asyncio.run(collect(sitemaps.start()))
    for codec, request in [*((codec, each) for each in requests), (Codec(sitemaps), first)]:
        assert can_store(codec, request)
        again = codec.decode_request(request.url, 0, codec.encode_request(request))
        assert again.callback == request.callback
        assert again.meta == request.meta


def test_a_sitemap_says_when_its_pages_changed() -> None:
    class Maps(SitemapSpider):
        name = "maps"
        sitemap_urls = (ROOT + "sitemap.xml",)

        def parse(self, response: scrapy.Response) -> Any:
            yield {response.url: response.meta.get("lastmod")}

    entries = f"<url><loc>{ROOT}a</loc><lastmod>2024-05-01</lastmod></url><url><loc>{ROOT}b</loc></url>"
    result = crawl(Maps, {ROOT + "sitemap.xml": xml(f"<urlset>{entries}</urlset>"), ROOT + "a": "a", ROOT + "b": "b"})
    assert sorted(ok(result), key=str) == [{ROOT + "a": "2024-05-01"}, {ROOT + "b": None}]
