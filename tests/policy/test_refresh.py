"""Which pages send their reader elsewhere by meta refresh."""

from __future__ import annotations

import time
from typing import Any

import pytest

from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.redirect import RedirectRules, redirect_verdict
from crawler.policy.refresh import mentions_refresh, refresh_of
from crawler.policy.verdict import Later

URL = "http://a.example/dir/page"
HTML = {"Content-Type": "text/html; charset=utf-8"}


def page(body: str, **more: Any) -> Response:
    return Response(URL, more.pop("status", 200), {**HTML, **more.pop("headers", {})}, body.encode(), **more)


def tag(content: str) -> str:
    return f'<html><head><title>x</title><meta http-equiv="refresh" content="{content}"></head><body>x</body></html>'


@pytest.mark.parametrize(
    ("content", "seconds", "url"),
    [
        ("0; url=/next", 0, "http://a.example/next"),
        ("5;URL='next'", 5, "http://a.example/dir/next"),
        ("3,url=&quot;/next&quot;junk", 3, "http://a.example/next"),
        ("2.7; url = /next ", 2, "http://a.example/next"),
        (".5; url=/next", 0, "http://a.example/next"),
        ("  1   /next", 1, "http://a.example/next"),
        ("0;/next", 0, "http://a.example/next"),
        ("0; url=http://b.example/?a=1&amp;b=2", 0, "http://b.example/?a=1&b=2"),
        ("0; url=http://b.example/caf\u00e9", 0, "http://b.example/caf%C3%A9"),
    ],
)
def test_where_it_leads(content: str, seconds: float, url: str) -> None:
    assert refresh_of(page(tag(content))) == (seconds, url)


@pytest.mark.parametrize(
    "content", ["", "5", "0;", "0; url=", "url=/next", "; url=/x", "-1; url=/x", "0; url=http://["]
)
def test_what_leads_nowhere(content: str) -> None:
    assert refresh_of(page(tag(content))) is None


@pytest.mark.parametrize(
    "body",
    [
        "<!-- " + tag("0; url=/x") + " -->",
        "<noscript>" + tag("0; url=/x") + "</noscript>",
        "<html><head><script>'" + '<meta http-equiv=refresh content="0; url=/x">' + "'</script></head>",
        '<textarea><meta http-equiv="refresh" content="0; url=/x"></textarea>',
        '<meta http-equiv="content-type" content="text/html"><p>refresh</p>',
    ],
)
def test_tags_that_do_not_count(body: str) -> None:
    assert refresh_of(page(body)) is None


def test_the_ignored_tags_are_a_setting() -> None:
    body = '<html><body><noscript><meta http-equiv="refresh" content="0; url=/x"></noscript></body></html>'
    assert refresh_of(page(body), ()) == (0, "http://a.example/x")


def test_a_base_element_counts() -> None:
    body = '<html><head><base href="http://b.example/c/">' + tag("0; url=d").removeprefix("<html><head>")
    found = refresh_of(page(body))
    assert found is not None
    assert found.url == "http://b.example/c/d"


def test_only_html_is_read() -> None:
    assert refresh_of(Response(URL, 200, {"Content-Type": "application/json"}, tag("0; url=/x").encode())) is None


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'<meta http-equiv="refresh" content="">', True),
        (b"<META CONTENT=x HTTP-EQUIV = 'REFRESH'>", True),
        (b'<script src="jQuery.js"></script><meta Http-Equiv="Refresh">', True),
        (b'<meta http-equiv="X-UA-Compatible"> refreshing', True),
        (b'<meta http-equiv="X-UA-Compatible">' + b" " * 64 + b"refreshing", False),
        (b"<p>refresh query Q", False),
        (b"q", False),
        (b"", False),
        (b" " * 9000 + b'<meta http-equiv="refresh">', False),
        (b"q" * 200 + b'<meta http-equiv="refresh">', True),
    ],
)
def test_the_first_look(body: bytes, says: bool) -> None:
    assert mentions_refresh(body) is says


def follow(response: Response, meta: dict[str, Any] | None = None, method: str = "GET", **rules: Any) -> Any:
    request = Request(URL, method=method, meta=meta, body=b"x" if method == "POST" else b"")
    return redirect_verdict(request, response, RedirectRules(**rules))


def test_it_is_followed_by_get_and_not_before_its_time() -> None:
    verdict = follow(page(tag("7; url=/next")), method="POST")
    assert isinstance(verdict, Later)
    assert (verdict.kind, verdict.reason, verdict.seconds) == ("redirect", "meta refresh", 7)
    assert (verdict.request.method, verdict.request.body) == ("GET", b"")
    assert verdict.request.meta["redirect_reasons"] == ["meta refresh"]


@pytest.mark.parametrize(
    ("meta", "method", "rules", "content"),
    [
        ({"dont_redirect": True}, "GET", {}, "0; url=/x"),
        ({}, "HEAD", {}, "0; url=/x"),
        ({}, "GET", {"metarefresh_enabled": False}, "0; url=/x"),
        ({}, "GET", {}, "100; url=/x"),
        ({}, "GET", {"metarefresh_maxdelay": 3.0}, "3; url=/x"),
        ({}, "GET", {}, "0; url=javascript:x()"),
    ],
)
def test_it_is_not_followed(meta: dict[str, Any], method: str, rules: dict[str, Any], content: str) -> None:
    assert follow(page(tag(content)), meta, method, **rules) is None


def test_a_page_that_reloads_itself_is_a_page_unless_it_sets_a_cookie() -> None:
    assert follow(page(tag("0; url=/dir/page#top"))) is None
    assert isinstance(follow(page(tag("0; url=/dir/page"), headers={"Set-Cookie": "a=b"})), Later)


def test_a_body_in_a_file_is_not_read(tmp_path: Any) -> None:
    path = tmp_path / "body"
    path.write_bytes(tag("0; url=/x").encode())
    assert follow(Response(URL, 200, HTML, body_file=path)) is None


@pytest.mark.parametrize("junk", ["<", "&", " ", "@", "<meta http-equiv=refresh content=", "q", "<!--", "http-equiv"])
def test_a_megabyte_of_junk_costs_little(junk: str) -> None:
    body = '<meta http-equiv="refresh" content="' + junk * (1_000_000 // len(junk))
    started = time.process_time()
    follow(page(body))
    follow(page(tag("0;" + junk * (1_000_000 // len(junk)))))
    assert time.process_time() - started < 1.0
