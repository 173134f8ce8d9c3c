"""Does each regular expression, and what is built of them, take linear time on hostile text?

The expressions are collected from the sources, so a new one is tried by itself.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest

from crawler import FormRequest, LinkExtractor
from crawler.config.schema import CoreSettings
from crawler.download.middleware.cookies.set_cookie import parse, parse_date
from crawler.download.middleware.digest import challenge_in
from crawler.download.schemes.local import DataDownloader
from crawler.errors import CrawlerError
from crawler.generic.markup import BadMarkup
from crawler.generic.sitemap import Sitemap, sitemaps_in
from crawler.model.headers import Headers
from crawler.model.masking import escape
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import identity, normalise, split
from crawler.policy.freshness import directives
from crawler.policy.redirect import RedirectRules, redirect_verdict
from crawler.policy.refresh import mentions_refresh, refresh_of
from crawler.policy.retry import RetryRules, retry_verdict
from crawler.policy.robots import RobotsRules
from tests.security.expressions import Expression, beginnings, expressions, run
from tests.security.support import TooSlow, cpu_seconds

ALL = expressions()
FLOODS = "<& @/='\""
MORE = [*"<>&@/='\"%;,:.#-_ a0A\\([?!\t\n\r", "é", "\ud800"]

# Patterns that are the user's, compiled where they are used.
THE_USERS = {
    "crawler/generic/sitemap.py": 2,  # sitemap_follow, sitemap_rules
    "crawler/model/links.py": 1,  # allow, deny
    "crawler/scrapy/downloadermiddlewares/offsite.py": 1,  # allowed_domains
    "crawler/scrapy/linkextractors/lxmlhtml.py": 1,  # allow, deny
    "crawler/scrapy/spiders/sitemap.py": 2,  # sitemap_follow, sitemap_rules
}


def test_every_expression_is_known_or_the_users() -> None:
    unknown = [each.where for each in ALL if each.pattern is None]
    assert {where: unknown.count(where) for where in unknown} == THE_USERS
    assert len(ALL) > 60


KNOWN = [each for each in ALL if each.pattern is not None]


def in_time(expression: Expression, text: str, seconds: float, what: str) -> None:
    assert expression.pattern is not None
    try:
        with cpu_seconds(seconds):
            run(expression, text)
    except TooSlow as error:
        raise AssertionError(f"{expression} {expression.pattern.pattern!r} on {what}: {error}") from None


def leading_into(expression: Expression, size: int) -> dict[str, str]:
    """Return texts made for this expression: each of its beginnings again and again, and before a flood."""
    assert expression.pattern is not None
    texts = {f"{flood!r}": flood * size for flood in MORE}
    for start in beginnings(expression.pattern):
        texts[f"many {start!r}"] = start * (size // len(start))
        for flood in "< &@/='\"a0-;\n":
            texts[f"{start!r} and many {flood!r}"] = start + flood * size
    return texts


def test_text_made_for_each_expression() -> None:
    """At this size, what takes more than linear time takes hundreds of times as long as the others do."""
    for expression in KNOWN:
        for what, text in leading_into(expression, 5_000).items():
            in_time(expression, text, 0.3, what)


@pytest.mark.slow
@pytest.mark.spread
def test_a_megabyte_of_one_thing() -> None:
    for expression in KNOWN:
        for flood in FLOODS:
            in_time(expression, flood * 1_000_000, 3, f"a megabyte of {flood!r}")


@pytest.mark.slow
@pytest.mark.spread
def test_longer_text_made_for_each_expression() -> None:
    for expression in KNOWN:
        for what, text in leading_into(expression, 60_000).items():
            in_time(expression, text, 2, what)


def _html(body: bytes) -> Response:
    return Response("http://x.example/", headers={"Content-Type": "text/html"}, body=body)


def _swallow(call: Callable[[], Any]) -> None:
    try:
        call()
    except (CrawlerError, ValueError, BadMarkup):
        pass  # refusing is an answer, too


def _form(body: bytes) -> None:
    _swallow(lambda: FormRequest.from_response(_html(b"<form action='/x'><input name=a value='" + body + b"'>" + body)))
    _swallow(lambda: FormRequest.from_response(_html(body)))


def _links(body: bytes) -> None:
    for html in (body, b"<a href='" + body + b"'>" + body + b"</a>", b"<base href='" + body + b"'><a href=x>"):
        LinkExtractor(allow=(r"/page/\d+",), canonicalize=True).extract_links(_html(html))


def _selected(body: bytes) -> None:
    page = _html(body)
    page.css("a::attr(href), title::text, p.x > b").getall()
    page.xpath("//a[contains(@href, 'x')]/@href").getall()
    Response("http://x.example/", headers={"Content-Type": "text/xml"}, body=body).xpath("//a/@b").getall()
    assert isinstance(page.text, str)


def _refresh(body: bytes) -> None:
    start = b"<meta http-equiv=refresh content='"
    for html in (body, start + b"0; url=" + body, start + body + b"'>", b"<meta http-equiv='" + body):
        if mentions_refresh(html):
            refresh_of(_html(html))


def _redirected(body: bytes) -> None:
    request = Request("http://x.example/")
    response = Response(request.url, 302, Headers.from_raw([(b"Location", body[:65_000])]), request=request)
    redirect_verdict(request, response, RedirectRules())


def _retry_after(body: bytes) -> None:
    request = Request("http://x.example/")
    response = Response(request.url, 503, Headers.from_raw([(b"Retry-After", body[:65_000])]), request=request)
    retry_verdict(request, response, RetryRules(), wall=0.0, random=lambda: 0.5)


def _robots(body: bytes) -> None:
    for text in (body, b"User-agent: *\nDisallow: /" + body, b"User-agent: " + body, b"Crawl-delay: " + body):
        rules = RobotsRules.parse(text, "crawler/0.1")
        rules.allows("http://x.example/" + body[:2000].decode())
    rules = RobotsRules.parse(b"User-agent: *\nDisallow: /" + b"*a" * 5000 + b"$", "crawler/0.1")
    rules.allows("http://x.example/" + "a" * 100_000)


def _sitemap(body: bytes) -> None:
    for _ in sitemaps_in(body + b"\nsitemap:" + body):
        pass
    for xml in (body, b"<urlset><url><loc>" + body, b"<urlset " + body, b"<?xml " + body, b"<!DOCTYPE " + body):
        _swallow(lambda xml=xml: list(Sitemap(xml)))  # type: ignore[misc]


def _urls(body: bytes) -> None:
    text = body[:200_000].decode()
    for url in (text, f"http://{text}", f"http://x.example/{text}", f"http://x.example/?{text}", f"http:{text}"):
        _swallow(lambda url=url: identity(normalise(url)))  # type: ignore[misc]
        request = Request(url)
        assert request.url
    _html(b"<base href=/y>").urljoin(text)


def _headers(body: bytes) -> None:
    for value in (body, b"text/html; charset=" + body, b'text/html; a="' + body):
        page = Response("http://x.example/", headers=Headers.from_raw([(b"Content-Type", value)]), body=body[:2000])
        assert page.encoding
        assert page.kind
        directives(Headers.from_raw([(b"Cache-Control", value)]))
        parse(b"a=" + value[:65_000], split("http://x.example/"), 0.0)
        parse_date(value[:65_000].decode())
        challenge_in([b"Digest " + value[:65_000]] * 4)


def _data_url(body: bytes) -> None:
    for start in (b"data:", b"data:text/html,", b"data:;base64,", b"data:text/html;"):
        request = Request((start + body).decode())
        DataDownloader(CoreSettings()).fetch(request).addErrback(lambda failure: None)


def _shown(body: bytes) -> None:
    escape(body.decode())
    assert len(repr(Request("http://x.example/" + body[:1000].decode()))) < 20_000


MADE_OF_THEM: list[Callable[[bytes], None]] = [
    _selected, _links, _form, _refresh, _redirected, _retry_after, _robots, _sitemap, _urls, _headers, _data_url, _shown
]  # fmt: skip


MANY = (*FLOODS, "a", "<a ", "&#", "%41", "<!--")


@pytest.mark.parametrize("call", MADE_OF_THEM, ids=lambda call: call.__name__.strip("_"))
def test_what_is_made_of_them(call: Callable[[bytes], None]) -> None:
    for flood in MANY:
        with cpu_seconds(1.5):
            call(flood.encode() * (40_000 // len(flood)))


@pytest.mark.slow
@pytest.mark.spread
@pytest.mark.parametrize("call", MADE_OF_THEM, ids=lambda call: call.__name__.strip("_"))
def test_a_megabyte_against_what_is_made_of_them(call: Callable[[bytes], None]) -> None:
    for flood in (*MANY, "\n", ";"):
        with cpu_seconds(8):
            call(flood.encode() * (1_000_000 // len(flood)))


def test_empty_gzip_members_without_end() -> None:
    """Each is a stream of its own: what follows one must not be copied again for each."""
    body = gzip.compress(b"") * 50_000 + gzip.compress(b"<urlset><url><loc>http://x.example/</loc></url></urlset>")
    with cpu_seconds(5):
        assert len(list(Sitemap(body, limit=1_000_000))) == 1
