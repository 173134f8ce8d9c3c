"""Do the spiders and pipelines of this project find what the sample holds?"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import settings as project_settings
from crawler import Response, Spider, testing
from crawler.sample import books, quotes
from pipelines.drop_duplicates import DropDuplicates
from pipelines.require_fields import RequireFields
from pipelines.store_in_sqlite import StoreInSqlite
from spiders.books import Books
from spiders.quotes import Quotes
from spiders.site import Site

SHOP = "http://shop.example"
PAGES: dict[str, Any] = {f"{SHOP}{path}": text for path, text in {**books.paths(), **quotes.paths()}.items()}
PAGES[f"{SHOP}/robots.txt"] = "User-agent: *\nDisallow: /basket/"


def test_books_finds_every_book() -> None:
    result = testing.crawl(Books, PAGES, arguments={"url": f"{SHOP}/"})
    assert len(result.items) == books.BOOKS
    found = {item["url"]: item for item in result.items}
    for number in range(1, books.BOOKS + 1):
        book = books.book(number)
        item = found[f"{SHOP}/catalogue/{book.slug}/index.html"]
        assert (item["title"], item["price"], item["in_stock"]) == (book.title, book.price / 100, book.stock)
        assert (item["category"], item["description"]) == (book.category, book.description)
    assert len({item["upc"] for item in result.items}) == books.BOOKS
    assert result.summary.exit_status == 0


def test_books_stops_after_the_pages_asked_for() -> None:
    result = testing.crawl(Books, PAGES, arguments={"url": f"{SHOP}/", "pages": "2"})
    assert len(result.items) == 2 * books.PER_PAGE


def test_quotes_finds_every_quote() -> None:
    result = testing.crawl(Quotes, PAGES, arguments={"url": f"{SHOP}/quotes/"})
    wanted = [quotes.quote(number) for number in range(1, quotes.QUOTES + 1)]
    assert [tuple(asdict(item).values()) for item in result.items] == [
        (text.strip("“”"), author, tags) for text, author, tags in wanted
    ]


def test_quotes_of_one_tag() -> None:
    result = testing.crawl(Quotes, PAGES, arguments={"url": f"{SHOP}/quotes/", "tag": "maps"})
    assert result.items
    assert all("maps" in item.tags for item in result.items)


def test_site_walks_the_whole_shop_and_obeys_robots() -> None:
    result = testing.crawl(Site, PAGES, arguments={"url": f"{SHOP}/index.html"})
    # Nothing links to the front page by its folder, nor to the first page of quotes by its number but from the second.
    assert {item["url"] for item in result.items} == set(PAGES) - {f"{SHOP}/", f"{SHOP}/robots.txt"}
    assert len(result.items) == len({item["url"] for item in result.items})
    assert result.summary.stats["robotstxt/forbidden"] == 1
    depths = {item["url"]: item["depth"] for item in result.items}
    assert depths[f"{SHOP}/index.html"] == 0
    assert depths[f"{SHOP}/catalogue/page-2.html"] == 1
    assert {item["found_on"] for item in result.items if item["depth"] == 1} == {f"{SHOP}/index.html"}


def test_site_takes_the_origin_of_the_final_start_page() -> None:
    moved = Response("http://old.example/", 301, {"Location": "http://new.example/"})
    away = Response("http://new.example/away", 302, {"Location": "http://old.example/page"})
    site: dict[str, Any] = {
        "http://old.example/": moved,
        "http://new.example/": """<title>New</title><a href="/a">a</a><a href="http://old.example/b">b</a>
            <a href="/away">c</a>""",
        "http://new.example/a": '<area href="http://new.example:80/c#part"><a href="/data.txt">data</a>',
        "http://new.example/c": "<title>C</title>",
        "http://new.example/data.txt": '<a href="/hidden">no page</a>',
        "http://new.example/away": away,
        "http://old.example/page": "<title>Elsewhere</title>",
    }
    result = testing.crawl(Site, site, arguments={"url": "http://old.example/"})
    assert [(item["url"], item["title"], item["found_on"]) for item in result.items] == [
        ("http://new.example/", "New", None),
        ("http://new.example/a", "", "http://new.example/"),
        ("http://new.example/c", "C", "http://new.example/a"),
    ]


class Given(Spider):
    """Yields the items it is given by its page, as JSON."""

    name = "given"
    start_urls = ["http://shop.example/"]

    def parse(self, response: Response) -> Iterator[Any]:
        yield from response.json()


def run(items: list[Any], **settings: Any) -> testing.Result:
    return testing.crawl(Given, {"http://shop.example/": json.dumps(items)}, settings=settings)


def test_require_fields() -> None:
    items = [{"a": 1, "b": 0}, {"a": ""}, {"b": 2}, {"a": None}, {"a": False}]
    result = run(items, PIPELINES=[RequireFields], REQUIRED_FIELDS=["a"])
    assert result.items == [{"a": 1, "b": 0}, {"a": False}]
    assert result.summary.stats["item_dropped_count"] == 3


def test_drop_duplicates_by_some_fields_or_all() -> None:
    items = [{"a": 1, "b": 1}, {"a": 1, "b": 2}, {"b": 1, "a": 1}]
    assert run(items, PIPELINES=[DropDuplicates], DUPLICATE_FIELDS=["a"]).items == items[:1]
    assert run(items, PIPELINES=[DropDuplicates]).items == items[:2]


def test_store_in_sqlite_replaces_what_has_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    items = [{"url": "a", "n": 1}, {"url": "b", "n": 2}, {"url": "a", "n": 3}, {"n": 4}]
    for _again in range(2):
        result = run(items, PIPELINES=[StoreInSqlite], SQLITE_PATH=str(path))
        assert result.items == items[:3]
    database = sqlite3.connect(path)
    assert dict(database.execute("SELECT key, item ->> 'n' FROM items")) == {"a": 3, "b": 2}
    database.close()


def test_settings_are_polite() -> None:
    assert project_settings.ROBOTSTXT_OBEY is True
    assert project_settings.DOWNLOAD_DELAY > 0


@pytest.mark.parametrize("name", ["books", "quotes", "site"])
def test_each_spider_says_how_it_is_run(name: str) -> None:
    module = __import__(f"spiders.{name}", fromlist=["x"])
    assert f"crawler crawl {name} " in (module.__doc__ or "")


def test_site_reports_pages_that_send_their_reader_on_and_follows_them() -> None:
    html = "<!DOCTYPE html><html>"
    pages: dict[str, Any] = {
        "http://a.test/": html + """<meta http-equiv="Refresh" content="0; URL='http://b.test/x/'">""",
        "http://b.test/x/": html + '<a href="../old">old</a>',
        "http://b.test/old": html + "<meta http-equiv=refresh content='0;url=new.html'>",
        "http://b.test/new.html": html + '<meta http-equiv=refresh content="5; url=http://c.test/">',
    }
    result = testing.crawl(Site, pages, arguments={"url": "http://a.test/"})
    assert [item["url"] for item in result.items] == list(pages)
    assert result.urls == list(pages)
