"""Do the examples of docs/extending.md and the README do what they say?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from crawler import Request, RequestRefused, Response, Spider, testing
from tests.docs.blocks import load

DOCUMENT = "docs/extending.md"
HTML = {"Content-Type": "text/html; charset=utf-8"}


class Items(Spider):
    """Yields the items it is given by its first page, as JSON."""

    name = "items"
    start_urls = ["http://shop.example/"]

    def parse(self, response: Response) -> Iterator[Any]:
        yield from response.json()


def run_items(items: list[Any], **settings: Any) -> testing.Result:
    return testing.crawl(Items, {"http://shop.example/": json.dumps(items)}, settings=settings)


def test_the_spider_fetches_inline() -> None:
    site = {
        "http://shop.example/": """<ul><li class=book><a href="/a">A</a></li><li class=book><a href="/b">B</a></li></ul>
            <a class=next href="/2">next</a>""",
        "http://shop.example/2": '<li class=book><a href="/c">C</a>',
        "http://shop.example/a/stars.json": '{"stars": 5}',
        "http://shop.example/b/stars.json": '{"stars": 1}',
        "http://shop.example/c/stars.json": '{"stars": 3}',
    }
    spider = load(DOCUMENT, "spiders/reviews.py")["Reviews"]
    result = testing.crawl(spider, site, arguments={"at_least": "3"})
    assert sorted(item["title"] for item in result.items) == ["A", "C"]
    assert result.summary.exit_status == 0


def test_the_pipeline_counts_and_limits() -> None:
    stage = load(DOCUMENT, "pipelines/totals.py")["Totals"]
    given = [{"category": name} for name in "ababa"]
    result = run_items(given, PIPELINES=[stage], LIMIT_PER_CATEGORY=2)
    assert [(item["category"], item["number"]) for item in result.items] == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    assert result.summary.stats["item_dropped_count"] == 1


def test_the_readmes_pipeline() -> None:
    stage = load("README.md", "pipelines/price_in_pence.py")["PriceInPence"]
    result = run_items([{"price": "£3.20"}, {"price": "€3.20"}], PIPELINES=[stage])
    assert result.items == [{"price": 320}]


def test_the_readmes_spider() -> None:
    site = {
        "https://books.toscrape.com/": """<article class=product_pod><h3><a href="/b">B</a></h3></article>
            <li class=next><a href="/2">next</a></li>""",
        "https://books.toscrape.com/2": '<article class=product_pod><h3><a href="/c">C</a></h3></article>',
        "https://books.toscrape.com/b": "<h1>Book B</h1>",
        "https://books.toscrape.com/c": "<h1>Book C</h1>",
    }
    books = load("README.md", "spiders/books.py")["Books"]
    assert [item["title"] for item in testing.crawl(books, site).items] == ["Book B", "Book C"]
    assert [item["title"] for item in testing.crawl(books, site, arguments={"pages": "1"}).items] == ["Book B"]


def test_the_middleware_gets_a_new_token() -> None:
    tokens = iter(["first", "second"])
    valid = "second"

    def site(request: Request) -> Any:
        if request.url == "http://shop.example/token":
            return next(tokens)
        if request.url.endswith("/robots.txt"):
            return 404
        if request.headers.text("X-Token") != valid:
            return 401
        return Response(request.url, 200, HTML, b"[]", request=request)

    middleware = load(DOCUMENT, "middlewares.py")["Token"]
    settings = {"MIDDLEWARES": [middleware], "TOKEN_URL": "http://shop.example/token", "RETRY_HTTP_CODES": [401]}
    result = testing.crawl(Items, site, settings=settings)
    assert result.summary.stats["downloader/response_status_count/200"] >= 1
    assert result.summary.errors == 0


def test_the_subscriber_counts_slow_pages() -> None:
    extension = load(DOCUMENT, "extensions.py")["SlowPages"]

    def site(request: Request) -> Any:
        return Response(request.url, 200, HTML, b"[]", request=request, latency=2.5)

    result = testing.crawl(
        Items, site, settings={"EXTENSIONS": [extension], "SLOW_SECONDS": 2, "ROBOTSTXT_OBEY": False}
    )
    assert result.summary.stats["slow_pages"] == 1


def test_the_filter_follows_one_language() -> None:
    class Pages(Spider):
        name = "pages"
        start_urls = ["http://shop.example/"]

        def parse(self, response: Response) -> Iterator[Any]:
            yield from response.follow_all(css="a")

    site = {
        "http://shop.example/": '<a href="/en/a">a</a><a href="/de/a">a</a>',
        "http://shop.example/en/a": "a",
        "http://shop.example/de/a": "a",
    }
    settings = {"REQUEST_FILTERS": [load(DOCUMENT, "filters.py")["OneLanguage"]]}
    for language in ("en", "de"):
        result = testing.crawl(Pages, site, settings={**settings, "LANGUAGE": language})
        assert result.urls == ["http://shop.example/", f"http://shop.example/{language}/a"]
        assert [event.reason for event in result.happened(RequestRefused)] == ["language"]
