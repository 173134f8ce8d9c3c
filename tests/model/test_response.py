"""Does a response tell what came, and lead on to where its links go?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crawler.model.link import Link
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.scrapy.kinds import HtmlResponse, JsonResponse, TextResponse, XmlResponse

HTML = {"Content-Type": "text/html; charset=utf-8"}


def page(body: str | bytes, url: str = "http://x.org/a/b.html", **arguments: Any) -> Response:
    body = body.encode() if isinstance(body, str) else body
    return Response(url, headers=arguments.pop("headers", HTML), body=body, **arguments)


def test_defaults_and_attributes() -> None:
    response = Response("http://x.org/")
    assert (response.status, response.body, response.text, response.flags) == (200, b"", "", [])
    assert (response.request, response.ip_address, response.protocol, response.latency) == (None, None, None, None)
    assert repr(response) == "<200 http://x.org/>"
    response.request = Request("http://x.org/", meta={"a": 1}, cb_kwargs={"b": 2})
    assert (response.meta, response.cb_kwargs) == ({"a": 1}, {"b": 2})


def test_what_is_missing_is_told() -> None:
    with pytest.raises(AttributeError, match="no request"):
        Response("http://x/").meta  # noqa: B018
    with pytest.raises(AttributeError, match=r"use response\.replace"):
        Response("http://x/").url = "y"
    with pytest.raises(TypeError):
        Response(b"http://x/")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Response("http://x/", body=5)  # type: ignore[arg-type]


def test_text_and_json() -> None:
    assert page("é").text == "é"
    assert page("é".encode("latin-1"), headers={"Content-Type": "text/html; charset=latin1"}).text == "é"
    assert page(b"\xff\x00\x01", headers={"Content-Type": "image/png"}).text
    assert page('{"a": [1, 123456789012345678901234567890]}').json() == {"a": [1, 123456789012345678901234567890]}
    assert page("[NaN]").json()[0] != 0
    assert page("\ufeff[1]").json() == [1]
    assert page('["é"]'.encode("utf-16")).json() == ["é"]
    response = page('["é"]'.encode("latin-1"), headers={"Content-Type": "application/json; charset=latin1"})
    assert response.json() == ["é"]
    assert response.json() is response.json()
    with pytest.raises(ValueError):
        page("no json").json()


def test_jmespath() -> None:
    body = '{"a": [{"b": "c"}, {"b": "d"}]}'
    assert page(body, headers={"Content-Type": "application/json"}).jmespath("a[*].b").getall() == ["c", "d"]
    assert page(body).jmespath("a[0].b").get() == "c"
    assert page("no json").jmespath("a").getall() == []


@pytest.mark.parametrize(
    ("content_type", "body", "kind"),
    [
        ("text/html", b"", "html"),
        ("TEXT/HTML;charset=x", b"", "html"),
        ("application/xhtml+xml", b"", "html"),
        ("application/rss+xml", b"", "xml"),
        ("text/xml", b"", "xml"),
        ("application/ld+json", b"", "json"),
        ("text/css", b"", "text"),
        ("text/plain", b"<html>", "text"),
        ("text/plain", b"\x00\x01", "binary"),
        ("image/png", b"<html>", "binary"),
        ("html", b"<p>", "html"),
        ("text/html, text/html; charset=x", b"", "html"),
        ("text/html,charset=UTF-8", b"", "html"),
        ('text/html; x="a,b"', b"", "html"),
        ("text/plain, text/html", b"", "html"),
        ("unknown/unknown", b"<!DOCTYPE html>", "html"),
        ("application/html", b" <html>", "html"),
        ("application/x-feed", b"<?xml version='1.0'?><rss>", "xml"),
        ("application/pdf", b"%PDF-1.7 <html>", "binary"),
        ("application/zip", b"PK\x03\x04<html>", "binary"),
        ("application/x-text", b"plain", "binary"),
        ("application/octet-stream", b"\x89PNG\x00", "binary"),
        (None, b"  <!DOCTYPE html>", "html"),
        (None, b"<!-- a --><html>", "html"),
        (None, b"<?xml version='1.0'?><rss>", "xml"),
        (None, b"<?xml version='1.0'?><!DOCTYPE html><html>", "html"),
        (None, b'{"a": 1}', "json"),
        (None, b"plain", "text"),
        (None, "<p>".encode("utf-16"), "html"),
    ],
)
def test_kinds(content_type: str | None, body: bytes, kind: str) -> None:
    response = page(body, headers={"Content-Type": content_type} if content_type else None)
    assert response.kind == kind
    assert response.is_html is (kind == "html")
    assert isinstance(response, HtmlResponse) is (kind == "html")
    assert isinstance(response, TextResponse) is (kind != "binary")
    assert isinstance(response, XmlResponse) is (kind == "xml")
    assert isinstance(response, JsonResponse) is (kind == "json")
    assert not isinstance("text", TextResponse)


def test_scrapys_classes_can_be_constructed() -> None:
    response = HtmlResponse("http://x.org/", body="<p>é", encoding="latin-1")
    assert (response.body, response.encoding, response.css("p::text").get()) == (b"<p>\xe9", "latin-1", "é")
    assert XmlResponse("http://x.org/", body=b"<a><B>1</B></a>").xpath("//B/text()").get() == "1"
    assert TextResponse("http://x.org/", body=b"\x00").kind == "text"
    assert type(response.replace(status=404)) is HtmlResponse


def test_replace_does_not_keep_what_was_read() -> None:
    response = page("é")
    assert response.text == "é"
    other = response.replace(body="ü".encode("latin-1"), headers={})
    assert (other.text, other.url) == ("ü", response.url)
    copied = response.copy()
    copied.headers["A"] = "b"
    assert "A" not in response.headers


def test_a_body_may_lie_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "body"
    path.write_bytes(b"<p>x</p>")
    response = page(b"", body_file=path)
    assert (response.body, response.css("p::text").get()) == (b"<p>x</p>", "x")
    assert response.copy().body_file == path


@pytest.mark.parametrize(
    ("head", "href", "expected"),
    [
        ("", "../c", "http://x.org/c"),
        ("<base href='/q/'>", "c", "http://x.org/q/c"),
        ("<BASE HREF='http://y.org/q/'>", "c", "http://y.org/q/c"),
        ("<!-- <base href='/q/'> -->", "c", "http://x.org/a/c"),
        ("<base target=_top><base href=/r/><base href=/s/>", "c", "http://x.org/r/c"),
        ("<base href='javascript:1'>", "c", "http://x.org/a/c"),
        ("<base href='http://a b/'>", "c", "http://x.org/a/c"),
        ("", "mailto:a@b", "mailto:a@b"),
        ("", "http://a b/", "http://a b/"),
        ("", "?é", "http://x.org/a/b.html?%C3%A9"),
        ("", " c\n", "http://x.org/a/c"),
        ("", "", "http://x.org/a/b.html"),
    ],
)
def test_urljoin(head: str, href: str, expected: str) -> None:
    assert page(f"<html><head>{head}</head></html>").urljoin(href) == expected


def test_queries_of_links_go_in_the_pages_encoding() -> None:
    response = page("<a href='?é'>".encode("latin-1"), headers={"Content-Type": "text/html; charset=latin1"})
    request = response.follow(response.css("a")[0])
    assert request.url == "http://x.org/a/b.html?%E9"
    assert request.encoding == "cp1252"
    assert response.follow("?é", encoding="utf-8").url == "http://x.org/a/b.html?%C3%A9"


LINKS = "<a href=1>a</a><a name=x>b</a><area href=' 2 '><link href=3><img src=4><a href='http://a b/'>"


def test_follow_takes_what_scrapys_takes() -> None:
    response = page(LINKS)
    assert response.follow("c", print).callback is print
    assert response.follow(Link("http://y.org/")).url == "http://y.org/"
    assert response.follow(response.css("a")[0]).url == "http://x.org/a/1"
    assert response.follow(response.css("area")[0]).url == "http://x.org/a/2"
    assert response.follow(response.css("img::attr(src)")[0]).url == "http://x.org/a/4"
    request = response.follow(
        "c", print, "POST", {"A": "b"}, b"body", {"c": "d"}, {"m": 1}, priority=2, cb_kwargs={"k": 1}
    )
    assert (request.method, request.body, request.cookies, request.meta) == ("POST", b"body", {"c": "d"}, {"m": 1})
    assert (request.headers["A"], request.priority, request.cb_kwargs) == (b"b", 2, {"k": 1})
    assert response.follow("c", json=[1]).body == b"[1]"
    assert "host or port" in str(response.follow("http://a b/").problem)
    assert response.follow("mailto:a@b").problem
    for nothing in (response.css("a")[1], response.css("img")[0], response.css("a"), None, 5):
        with pytest.raises(ValueError):
            response.follow(nothing)


def test_follow_all_takes_what_scrapys_takes() -> None:
    response = page(LINKS)
    assert [request.url for request in response.follow_all(css="a, img")] == ["http://x.org/a/1", "http://a b/"]
    assert [request.url for request in response.follow_all(xpath="//@src")] == ["http://x.org/a/4"]
    requests = list(response.follow_all(["1", Link("http://y.org/")], print, meta={"a": 1}))
    assert [request.url for request in requests] == ["http://x.org/a/1", "http://y.org/"]
    assert requests[0].meta is not requests[1].meta
    assert list(response.follow_all([])) == []
    for wrong in ({}, {"css": "a", "xpath": "//a"}, {"urls": [], "css": "a"}):
        with pytest.raises(ValueError, match="exactly one"):
            response.follow_all(**wrong)


def test_the_url_keeps_the_fragment_of_its_request() -> None:
    request = Request("http://x.org/a.json?q#part?.xml")
    response = Response(request.url, body=b"1", request=request)
    assert response.url == request.url == response.copy().url
    assert response.kind == "json"
    assert Response("http://x.org/a#part.json", body=b"1").kind == "text"
    hrefs = ["", "#there", "?r", "b", "../c", "//y.org"]
    assert [response.urljoin(href) for href in hrefs] == [
        "http://x.org/a.json?q",
        "http://x.org/a.json?q#there",
        "http://x.org/a.json?r",
        "http://x.org/b",
        "http://x.org/c",
        "http://y.org/",
    ]


def test_no_link_at_all_is_the_pages_url() -> None:
    assert Response("http://x.org/a/b?c").urljoin(None) == "http://x.org/a/b?c"
    assert Response("http://x.org/a", body=b"<base href=/q/>").urljoin(None) == "http://x.org/a"
