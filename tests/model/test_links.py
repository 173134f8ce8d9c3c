"""Does the link extractor find what Scrapy's finds?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from crawler.errors import InvalidRequest
from crawler.model.link import Link
from crawler.model.links import IGNORED_EXTENSIONS, LinkExtractor
from crawler.model.response import Response

DATA = Path(__file__).parents[2] / ".." / "shared" / "data" / "scrapy-sample-data" / "link_extractor"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="no ../shared/data/scrapy-sample-data")


def page(body: str, url: str = "http://x.org/a/", **arguments: Any) -> Response:
    return Response(url, body=body.encode(), headers={"Content-Type": "text/html; charset=utf-8"}, **arguments)


def urls(body: str, **arguments: Any) -> list[str]:
    return [link.url.removeprefix("http://x.org") for link in LinkExtractor(**arguments).extract_links(page(body))]


SEVERAL = """<div id=top><a href="1.html">One <b>two</b></a><a href="/2.html#f" rel="x NoFollow">Two</a></div>
<div class=low><a href="1.html">again</a><a href="3.pdf">three</a><a href="http://y.org/4">four</a>
<area href="/5.html?b=1&amp;a=2"><a href="javascript:go('6')">six</a><a href="http://a b/">bad</a><a>none</a>
<img src="7.png"><link href="8.html"><a href=" 9.html ">nine</a></div>"""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ["/a/1.html", "/2.html#f", "http://y.org/4", "/5.html?b=1&a=2", "/a/9.html"]),
        ({"allow": r"\d\.html$"}, ["/a/1.html", "/a/9.html"]),
        ({"allow": [re.compile("2"), "4$"]}, ["/2.html#f", "http://y.org/4", "/5.html?b=1&a=2"]),
        ({"deny": r"/\d\.html", "deny_extensions": []}, ["/a/3.pdf", "http://y.org/4"]),
        ({"allow_domains": "y.org"}, ["http://y.org/4"]),
        ({"allow_domains": ["org"], "deny_domains": ["x.org"]}, ["http://y.org/4"]),
        ({"deny_domains": ["g", "x.or"], "allow": "1"}, ["/a/1.html", "/5.html?b=1&a=2"]),
        ({"restrict_css": "#top"}, ["/a/1.html", "/2.html#f"]),
        ({"restrict_xpaths": ["//div[@id='top']"], "restrict_css": "img"}, ["/a/1.html", "/2.html#f"]),
        ({"restrict_css": ["#top", "#top"]}, ["/a/1.html", "/2.html#f"]),
        ({"restrict_text": "^T|nine"}, ["/2.html#f", "/a/9.html"]),
        ({"tags": "img", "attrs": "src", "deny_extensions": "gif"}, ["/a/7.png"]),
        ({"tags": "link"}, ["/a/8.html"]),
        ({"tags": "*", "deny_tags": ["a", "area"]}, ["/a/8.html"]),
        ({"tags": ["img"], "attrs": "*", "deny_extensions": ()}, ["/a/7.png"]),
        ({"attrs": ()}, []),
        ({"tags": None}, []),
        ({"unique": False, "allow": "1.html"}, ["/a/1.html", "/a/1.html"]),
        ({"canonicalize": True, "allow": ["5", "2"]}, ["/2.html", "/5.html?a=2&b=1"]),
        ({"process_value": lambda url: "/six" if "go" in url else None}, ["/six"]),
        ({"strip": False, "allow": "9"}, ["/a/9.html"]),
        ({"deny_extensions": "html"}, ["/a/3.pdf", "http://y.org/4"]),
    ],
)
def test_arguments(arguments: dict[str, Any], expected: list[str]) -> None:
    assert urls(SEVERAL, **arguments) == expected


def test_links_have_text_and_nofollow() -> None:
    links = LinkExtractor().extract_links(page(SEVERAL))
    assert links[0] == Link("http://x.org/a/1.html", "One two")
    assert links[1] == Link("http://x.org/2.html#f", "Two", nofollow=True)
    assert len({*links, links[0]}) == len(links)
    assert repr(links[0]).startswith("Link(url='http://x.org/a/1.html', text='One two'")
    with pytest.raises(TypeError):
        Link(b"http://x.org/")  # type: ignore[arg-type]


def test_matches_judges_urls_alone() -> None:
    extractor = LinkExtractor(allow="a", deny="b", deny_domains="z.org")
    assert extractor.matches("http://x.org/a")
    assert not extractor.matches("http://x.org/ab")
    assert not extractor.matches("http://x.org/c")
    assert not extractor.matches("http://www.z.org/a")
    assert not extractor.matches("mailto:a")
    assert not extractor.matches("http://x.org/a.PDF?x")


def test_xhtml_and_documents_without_links() -> None:
    body = '<html xmlns="http://www.w3.org/1999/xhtml"><a href="1.html">1</a></html>'
    response = Response("http://x.org/", body=body.encode(), headers={"Content-Type": "application/xml"})
    assert [link.url for link in LinkExtractor().extract_links(response)] == ["http://x.org/1.html"]
    assert LinkExtractor().extract_links(Response("http://x.org/", body=b'{"a": 1}')) == []
    assert LinkExtractor().extract_links(Response("http://x.org/")) == []


def test_the_list_of_extensions_is_whole() -> None:
    assert len(IGNORED_EXTENSIONS) == len(set(IGNORED_EXTENSIONS)) == 91


@needs_data
def test_scrapys_sample_page() -> None:
    response = Response("http://example.com/index", body=(DATA / "linkextractor.html").read_bytes())
    assert [(link.url, link.text) for link in LinkExtractor().extract_links(response)] == [
        ("http://example.com/sample1.html", ""),
        ("http://example.com/sample2.html", "sample 2"),
        ("http://example.com/sample3.html", "sample 3 text"),
        ("http://example.com/sample3.html#foo", "sample 3 repetition with fragment"),
        ("http://www.google.com/something", ""),
        ("http://example.com/innertag.html", "inner tag"),
        ("http://example.com/page%204.html", "href with whitespaces"),
    ]


@needs_data
def test_scrapys_pages_in_other_encodings() -> None:
    # What Scrapy 2.19 finds there, asked with the same encodings.
    body = (DATA / "linkextractor_latin1.html").read_bytes()
    last = {encoding: urls_of(body, encoding)[-1] for encoding in ("utf-8", "iso8859-15")}
    assert last == {
        "utf-8": "http://example.com/sample_%C3%B6.html?price=%C2%A332&%C2%B5=unit",
        "iso8859-15": "http://example.com/sample_%C3%83%C2%B6.html?price=%C2%A332&%C2%B5=unit",
    }


def urls_of(body: bytes, encoding: str) -> list[str]:
    response = Response("http://example.com/index", body=body, encoding=encoding)
    return [link.url for link in LinkExtractor().extract_links(response)]


@needs_data
def test_links_without_href_are_passed_over() -> None:
    found = urls_of((DATA / "linkextractor_no_href.html").read_bytes(), "utf-8")
    assert found == [
        "http://example.com/author/Albert-Einstein",
        "http://example.com/page/1/",
        "http://example.com/page/3/",
        "http://example.com/page/4/",
    ]


@pytest.mark.parametrize(
    ("host", "given"),
    [
        ("localhost:8000", "localhost:8000"),
        ("shop.example", "http://shop.example/x"),
        ("shop.example", "*.shop.example"),
        ("www.shop.example", ".shop.example"),
        ("b\u00fccher.example", "B\u00fccher.example"),
        ("shop.example.", "shop.example"),
        ("[::1]:80", "[::1]"),
    ],
)
def test_domains_are_read_as_a_spider_s_are(host: str, given: str) -> None:
    response = Response(
        f"http://{host}/", 200, {"Content-Type": "text/html"}, f'<a href="http://{host}/x">x</a>'.encode()
    )
    assert len(LinkExtractor(allow_domains=given).extract_links(response)) == 1
    assert LinkExtractor(deny_domains=[given]).extract_links(response) == []


def test_what_names_no_host_is_no_domain() -> None:
    with pytest.raises(InvalidRequest):
        LinkExtractor(allow_domains="a b")


def test_the_texts_of_links_in_links_are_bounded() -> None:
    depth, size = 1_000, 100_000
    bomb = "".join(f'<a href="/{number}"><i>' for number in range(depth)) + "x" * size
    links = LinkExtractor().extract_links(page(bomb))
    assert len(links) == depth
    assert links[0].text == "x" * size
    assert sum(len(link.text) for link in links) < 1_000_000 + 5 * (size + len(bomb))


def test_links_beside_each_other_have_all_their_text() -> None:
    links = LinkExtractor().extract_links(page("".join(f'<a href="/{n}">{"x" * 10_000}</a>' for n in range(200))))
    assert {len(link.text) for link in links} == {10_000}
