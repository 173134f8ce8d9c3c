"""Which requests are accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from crawler.errors import SettingError
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.scope import DepthFilter, OffsiteFilter, SchemeFilter, SpidersDomains, UrlLengthFilter
from crawler.policy.verdict import Drop


def page(depth: int | None = 0) -> Response:
    request = Request("http://a.example/", meta=None if depth is None else {"depth": depth})
    return Response(request.url, request=request)


@pytest.mark.parametrize(
    ("domains", "url", "accepted"),
    [
        (["example.com"], "http://example.com/", True),
        (["example.com"], "https://www.example.com:8443/x", True),
        (["example.com"], "http://u:p@example.com/", True),
        (["example.com"], "http://example.com./", True),
        (["example.com"], "http://notexample.com/", False),
        (["example.com"], "http://example.com.evil.example/", False),
        (["example.com"], "http://example.com@evil.example/", False),
        (["example.com"], "http://evil.example/example.com", False),
        (["www.example.com"], "http://example.com/", False),
        (["com"], "http://example.com/", True),
        (["a.example", "b.example"], "http://x.b.example/", True),
        ("a.example", "http://a.example/", True),
        ([".a.example", "*.b.example"], "http://b.example/", True),
        (["HTTP://A.example:80/x"], "http://a.example/", True),
        (["m\u00fcnchen.example"], "http://xn--mnchen-3ya.example/", True),
        (["127.0.7.1"], "http://127.0.7.1:8000/", True),
        (["127.0.7.1"], "http://127.0.7.11/", False),
        (["[::1]"], "http://[::1]:80/", True),
        ([], "http://any.example/", True),
        (None, "http://any.example/", True),
        ([""], "http://any.example/", True),
    ],
)
def test_domains(domains: Any, url: str, accepted: bool) -> None:
    request = Request(url)
    for found_on in (None, page()):
        decision = OffsiteFilter(domains)(request, found_on)
        assert decision is request if accepted else decision == Drop("offsite", request.host)


@dataclass
class Roams:
    """What the filter wants of a spider."""

    allowed_domains: Any


@pytest.mark.parametrize("many", [0, 200])
def test_domains_that_a_spider_changes_while_it_runs_count(many: int) -> None:
    spider = Roams(["a.example", *(f"{number}.example" for number in range(many))])
    judge = SpidersDomains(spider)
    request = Request("http://b.example/")
    refused = Drop("offsite", "b.example")
    assert judge(request, None) == refused
    spider.allowed_domains.append("b.example")
    assert judge(request, None) is request
    spider.allowed_domains.remove("b.example")
    assert judge(request, None) == refused
    spider.allowed_domains = {"b.example"}
    assert judge(request, None) is request
    spider.allowed_domains.clear()
    assert judge(request, None) is request  # none: all
    spider.allowed_domains = ["a.example"]
    assert judge(request, None) == refused
    spider.allowed_domains[0] = "b.example"
    assert judge(request, None) is request
    for every in (None, "b.example", ("b.example",), iter(["b.example"])):
        spider.allowed_domains = every
        assert judge(request, None) is judge(request, None) is request


@pytest.mark.parametrize("more", [{"dont_filter": True}, {"meta": {"allow_offsite": True}}])
def test_what_may_leave_the_site(more: dict[str, Any]) -> None:
    request = Request("http://b.example/", **more)
    assert OffsiteFilter(["a.example"])(request, page()) is request


@pytest.mark.parametrize("domain", [5, b"a.example", "a b", "http://"])
def test_a_domain_that_is_none_is_a_setting_error(domain: Any) -> None:
    with pytest.raises(SettingError, match="allowed_domains"):
        OffsiteFilter([domain])


def test_allowed_domains_that_are_no_list_are_a_setting_error() -> None:
    with pytest.raises(SettingError, match="allowed_domains must be a list of names"):
        OffsiteFilter(5)  # type: ignore[arg-type]


def test_depth_is_written() -> None:
    start = Request("http://a.example/")
    assert DepthFilter()(start, None) is start
    assert start.meta["depth"] == 0
    for given, written in ((3, 3), ("deep", 0)):
        start = Request("http://a.example/", meta={"depth": given})
        DepthFilter(2)(start, None)
        assert start.meta["depth"] == written
    for depth, expected in ((0, 1), (None, 1), (7, 8)):
        child = Request("http://a.example/x", meta={"depth": 99})
        DepthFilter()(child, page(depth))
        assert child.meta["depth"] == expected


@pytest.mark.parametrize(("limit", "depth", "accepted"), [(0, 10_000, True), (2, 1, True), (2, 2, False), (1, 0, True)])
def test_depth_limit(limit: int, depth: int, accepted: bool) -> None:
    decision = DepthFilter(limit)(Request("http://a.example/x"), page(depth))
    assert isinstance(decision, Request) is accepted
    if isinstance(decision, Drop):
        assert decision.reason == "depth"


@pytest.mark.parametrize(("priority", "result"), [(0, 5), (1, 2), (-2, 11)])
def test_depth_priority(priority: int, result: int) -> None:
    decision = DepthFilter(0, priority)(Request("http://a.example/x", priority=5), page(2))
    assert isinstance(decision, Request)
    assert (decision.priority, decision.meta["depth"]) == (result, 3)


@pytest.mark.parametrize(("limit", "length", "accepted"), [(0, 9000, True), (30, 30, True), (30, 31, False)])
def test_url_length(limit: int, length: int, accepted: bool) -> None:
    request = Request("http://a.example/".ljust(length, "x"))
    decision = UrlLengthFilter(limit)(request, page())
    assert isinstance(decision, Request) is accepted
    if isinstance(decision, Drop):
        assert decision.reason == "url_length"


@pytest.mark.parametrize(
    ("url", "from_start", "from_page"),
    [
        ("http://a.example/", True, True),
        ("https://a.example/", True, True),
        ("file:///etc/passwd", True, False),
        ("data:text/html,x", True, False),
        ("ftp://a.example/x", False, False),
        ("s3://bucket/key", False, False),
        ("javascript:alert(1)", False, False),
        ("mailto:a@b.example", False, False),
    ],
)
def test_schemes(url: str, from_start: bool, from_page: bool) -> None:
    request = Request(url)
    for found_on, accepted in ((None, from_start), (page(), from_page)):
        decision = SchemeFilter()(request, found_on)
        assert isinstance(decision, Request) is accepted
        if isinstance(decision, Drop):
            assert decision.reason == "scheme"


def test_a_scheme_that_was_enabled() -> None:
    request = Request("ftp://a.example/x")
    assert SchemeFilter(["http", "https", "ftp", "file"])(request, page()) is request
    assert isinstance(SchemeFilter(["file"])(Request("file:///x"), page()), Drop)
