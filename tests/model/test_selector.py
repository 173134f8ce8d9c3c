"""Do selectors select what parsel's do, also from what is broken or hostile?"""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from pathlib import Path

import parsel
import pytest

from crawler.model.response import Response
from crawler.model.selector import Selector, document

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
PAGE = """<html><head><title>T &amp; t</title></head><body class="a b">
<div id=one><p>Eins <b>zwei</b></p><p lang=de>drei</p></div>
<a href="/x" title=t>x</a><a>y</a><ul><li>1<li>2<li>3</ul></body></html>"""
QUERIES = [
    ("css", "title::text"),
    ("css", "p"),
    ("css", "p *::text"),
    ("css", "a::attr(href)"),
    ("css", "li:nth-child(2)::text"),
    ("css", "body.a.b > div#one p[lang]"),
    ("xpath", "//a/@href"),
    ("xpath", "count(//li)"),
    ("xpath", "//li = '2'"),
    ("xpath", "string(//p)"),
    ("xpath", "//li[re:test(., '[12]')]/text()"),
    ("xpath", "//a[set:difference(., //p)]"),
    ("xpath", "//nothing"),
]


@pytest.mark.parametrize(("kind", "query"), QUERIES)
def test_selects_what_parsel_selects(kind: str, query: str) -> None:
    ours, theirs = document(PAGE.encode(), "utf-8"), parsel.Selector(text=PAGE)
    for _ in range(2):
        found, expected = getattr(ours, kind)(query), getattr(theirs, kind)(query)
        assert found.getall() == expected.getall()
        assert found.get() == expected.get()
        assert found.get(default="none") == expected.get(default="none")
        assert isinstance(found, parsel.SelectorList)
        assert all(isinstance(each, Selector) for each in found)


def test_selectors_nest_and_have_parsels_other_methods() -> None:
    page = document(PAGE.encode(), "utf-8")
    assert page.css("div").css("p").xpath("./text()").getall() == ["Eins ", "drei"]
    assert page.css("a")[0].attrib == {"href": "/x", "title": "t"}
    assert page.css("li::text").re(r"\d") == ["1", "2", "3"]
    assert page.css("li::text").re_first("[23]") == "2"
    assert page.xpath("//a[@title=$t]", t="t").attrib["href"] == "/x"
    assert len(page.css("li")[1:]) == 2
    page.css("li").drop()
    assert page.css("li").get() is None
    assert "Selector" in repr(page.css("p")[0])


def test_errors_are_value_errors() -> None:
    page = document(PAGE.encode(), "utf-8")
    for bad in ("//[", "//a[@x=$y]", "foo:bar()", "//no:such"):
        with pytest.raises(ValueError, match="XPath"):
            page.xpath(bad)
    with pytest.raises(SyntaxError):  # cssselect's, as in parsel
        page.css("a[")


def test_namespaces() -> None:
    xml = b'<?xml version="1.0"?><r xmlns:a="urn:a" xmlns="urn:b"><a:x>1</a:x><y>2</y></r>'
    page = document(xml, "utf-8", kind="xml")
    assert page.xpath("//n:x/text()", namespaces={"n": "urn:a"}).getall() == ["1"]
    page.register_namespace("m", "urn:a")
    assert page.xpath("//m:x/text()").getall() == ["1"]
    assert page.css("m|x::text").getall() == ["1"]
    with pytest.raises(ValueError):
        document(xml, "utf-8", kind="xml").xpath("//m:x")
    page.remove_namespaces()
    assert page.css("y::text").getall() == ["2"]


@pytest.mark.parametrize(
    ("body", "codec", "text"),
    [
        (b"<p>a\0b</p>", "utf-8", "ab"),
        (b"<p>a\xffb</p><p>c", "utf-8", "a\ufffdb"),
        ("<p>é€</p>".encode("cp1252"), "cp1252", "é€"),
        ("<p>日本</p>".encode("euc_jp"), "euc_jp", "日本"),
        ("<p>é</p>".encode("utf-16"), "utf-16-le", "é"),
        (b"", "utf-8", None),
        (b"  \n", "utf-8", None),
        (b"\0", "utf-8", None),
        (b"<!-- only a comment -->", "utf-8", None),
    ],
)
def test_bytes_become_a_document_whatever_they_are(body: bytes, codec: str, text: str | None) -> None:
    assert document(body, codec).css("p::text").get() == text
    document(body, codec, kind="xml")


XML_ATTACKS = sorted((DATA / "xml-attacks").rglob("*.xml")) if DATA.exists() else []


@pytest.mark.skipif(not XML_ATTACKS, reason="no ../shared/data/xml-attacks")
@pytest.mark.parametrize("path", XML_ATTACKS, ids=lambda path: path.name)
@pytest.mark.parametrize("kind", ["xml", "html"])
def test_published_xml_attacks_come_to_nothing(path: Path, kind: str) -> None:
    body = path.read_bytes()
    began = time.process_time()
    tracemalloc.start()
    try:
        page = document(body, "utf-8", kind=kind)
        text = page.xpath("string(/*)").get() or ""
        attributes = "".join(page.xpath("//@*").getall())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.process_time() - began < 1
    assert peak < 50_000_000
    assert len(text) + len(attributes) < 20_000_000
    assert "root:" not in text + attributes


@pytest.mark.parametrize("piece", [b"<", b"&", b" ", b"@", b"<a ", b"<!--", b"<base ", b"<meta ", b'="', b"&#", b"<p>"])
def test_a_megabyte_of_one_thing_takes_linear_time(piece: bytes) -> None:
    body = piece * (1_000_000 // len(piece))
    began = time.process_time()
    response = Response("http://x.org/", body=body, headers={"Content-Type": "text/html; " + " " * 5000})
    assert response.kind in ("html", "text", "xml")
    assert response.encoding
    response.css("a::attr(href)").getall()
    response.urljoin(body[:100_000].decode())
    assert time.process_time() - began < 3


def test_an_expression_leaves_nothing_behind() -> None:
    selector = Selector(body=b"<title>a</title>", encoding="utf-8")
    selector.css("title::text").get()
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(2000):
        selector.css("title::text").get()
    gc.collect()
    assert sys.getallocatedblocks() - before < 1500
