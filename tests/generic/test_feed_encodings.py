"""Are feeds and sitemaps read in the encoding that their headers, their marks or they themselves name?"""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from crawler import CSVFeedSpider, Response, SitemapSpider, XMLFeedSpider
from crawler.generic.markup import PIECE
from crawler.generic.sitemap import Sitemap
from crawler.testing import crawl

URL = "http://feed.example/f.xml"
FEED = "<r><item><t>é</t></item></r>"


def declared(encoding: str, markup: str = FEED) -> str:
    return f'<?xml version="1.0" encoding="{encoding}"?>{markup}'


class Feed(XMLFeedSpider):
    name = "feed"
    start_urls = [URL]

    def parse_node(self, response: Any, node: Any) -> Any:
        yield {"t": node.xpath("t/text()").get()}


CASES = [
    ("application/xml; charset=iso-8859-1", FEED.encode("latin-1")),
    ("text/xml; charset=utf-8", declared("iso-8859-1").encode()),
    ("text/xml; charset=iso-8859-1", declared("utf-8").encode("latin-1")),
    ("application/xml", declared("utf-16").encode()),
    ("application/xml; charset=utf-16", declared("utf-16").encode()),
    ("application/xml; charset=utf-16", declared("utf-16").encode("utf-16-be")),
    ("application/xml", declared("utf-16").encode("utf-16-le")),
    ("application/xml; charset=koi8-r", declared("utf-16").encode("utf-16")),
    ("application/xml; charset=koi8-r", declared("koi8-r").encode("utf-8-sig")),
    ("application/xml; charset=nonsense", declared("latin1").encode("latin-1")),
    ("text/plain", declared("iso-8859-1").encode("latin-1")),
    (None, b"\n " + declared("ISO-8859-1").encode("latin-1")),
    ("application/xml", FEED.encode("latin-1")),
]


@pytest.mark.parametrize("iterator", ["iternodes", "xml"])
@pytest.mark.parametrize(("content_type", "body"), CASES)
def test_of_a_feed_the_mark_the_header_and_the_declaration_decide_in_this_order(
    iterator: str, content_type: str | None, body: bytes
) -> None:
    spider = type("OneFeed", (Feed,), {"iterator": iterator})
    result = crawl(
        spider, {URL: Response(URL, headers={"Content-Type": content_type} if content_type else {}, body=body)}
    )
    assert result.items == [{"t": "é"}]


def test_what_adapt_response_says_of_the_encoding_counts_most() -> None:
    class Adapted(Feed):
        def adapt_response(self, response: Any) -> Any:
            return response.replace(encoding="cp1251")

    body = FEED.replace("é", "ж").encode("cp1251")
    result = crawl(Adapted, {URL: Response(URL, headers={"Content-Type": "text/xml; charset=utf-8"}, body=body)})
    assert result.items == [{"t": "ж"}]


@pytest.mark.parametrize(
    ("codec", "text"), [("euc_jp", "日本"), ("utf-8", "日本"), ("utf-16", "日本"), ("gb18030", "中文")]
)
def test_a_character_may_lie_across_two_pieces(codec: str, text: str) -> None:
    before, after = f'<?xml version="1.0" encoding="{codec}"?><urlset><url><loc>', "</loc></url></urlset>"
    padding = (
        (PIECE - 2 - len(before.encode(codec))) // len("  ".encode("utf-16-le" if codec == "utf-16" else codec)) * 2
    )
    for more in range(4):
        body = f"{before}{' ' * (padding + more)}{text}{after}".encode(codec)
        assert text[-1].encode(codec)[-1:] in body[PIECE - 9 : PIECE + 9]
        for packed in (body, gzip.compress(body)):
            assert [entry["loc"] for entry in Sitemap(packed)] == [text]


def test_a_sitemap_goes_by_its_header() -> None:
    class Site(SitemapSpider):
        name = "site"
        sitemap_urls = [URL]

        def parse(self, response: Any) -> Any:
            yield {"url": response.url}

    page = "http://feed.example/%C3%A9"
    body = "<urlset><url><loc>http://feed.example/é</loc></url></urlset>".encode("latin-1")
    sitemap = Response(URL, headers={"Content-Type": "application/xml; charset=iso-8859-1"}, body=body)
    assert crawl(Site, {URL: sitemap, page: "x"}).items == [{"url": page}]


def test_a_csv_feed_goes_by_its_header_or_is_looked_at() -> None:
    class Rows(CSVFeedSpider):
        name = "rows"
        start_urls = [URL]

        def parse_row(self, response: Any, row: Any) -> Any:
            yield row

    text = "name,city\r\nŁukasz,Kraków\r\n"
    for content_type, body in (
        ("text/csv; charset=windows-1250", text.encode("cp1250")),
        ("text/csv", text.encode("utf-16")),
        ("text/csv", text.encode()),
    ):
        result = crawl(Rows, {URL: Response(URL, headers={"Content-Type": content_type}, body=body)})
        assert result.items == [{"name": "Łukasz", "city": "Kraków"}]
