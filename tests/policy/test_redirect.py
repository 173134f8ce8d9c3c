"""Where redirects lead, and that nobody gets credentials that were not given for them."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from crawler.errors import BadResponse, TooManyRedirects, UnsupportedScheme
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.redirect import RedirectRules, redirect_verdict
from crawler.policy.verdict import GiveUp, Later

HOME = "https://a.example/dir/page"
RULES = RedirectRules()
STATUSES = [301, 302, 303, 307, 308]
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]
OTHER_ORIGINS = [
    "http://a.example/next",
    "https://a.example:8443/next",
    "https://www.a.example/next",
    "https://example/next",
    "https://b.example/next",
    "https://a.example.b.example/next",
    "https://[::1]/next",
    "//b.example/next",
]
SAME_ORIGIN = ["/next", "next", "https://a.example/next", "https://a.example:443/next", "//a.example/next", "?q=1", ""]


def follow(
    location: Any, status: int = 302, request: Request | None = None, rules: RedirectRules = RULES, policy: str = ""
) -> Any:
    request = request or Request(HOME)
    response = Response(request.url, status, {"Location": location, "Referrer-Policy": policy}, request=request)
    return redirect_verdict(request, response, rules)


def secretive(method: str = "GET", **more: Any) -> Request:
    return Request(
        "https://user:pw@a.example/dir/page",
        method=method,
        headers={
            "Authorization": "Basic x",
            "Cookie": "a=b",
            "Proxy-Authorization": "Basic y",
            "X-Api-Key": "k",
            "X-Plain": "p",
            "Host": "hidden.example",
        },
        cookies={"c": "d"},
        meta={"secret_headers": ["x-api-key"], "auth": ("user", "pw"), "proxy": "http://p:1", "cookiejar": 3, "own": 1},
        **more,
    )


@pytest.mark.parametrize(("status", "method", "location"), list(product(STATUSES, METHODS, OTHER_ORIGINS)))
def test_no_credentials_for_another_origin(status: int, method: str, location: str) -> None:
    request = secretive(method)
    redirected = follow(location, status, request).request
    names = {name.lower() for name, _ in redirected.headers.raw()}
    assert not names & {b"authorization", b"cookie", b"proxy-authorization", b"x-api-key", b"host"}
    assert b"x-plain" in names
    assert "@" not in redirected.url
    assert "auth" not in redirected.meta
    assert redirected.cookies == {}
    assert (redirected.meta["proxy"], redirected.meta["cookiejar"], redirected.meta["own"]) == ("http://p:1", 3, 1)
    assert request.meta["auth"] == ("user", "pw")
    assert request.headers["Authorization"] == b"Basic x"


@pytest.mark.parametrize(("status", "method", "location"), list(product(STATUSES, METHODS, SAME_ORIGIN)))
def test_credentials_stay_with_their_origin(status: int, method: str, location: str) -> None:
    redirected = follow(location, status, secretive(method)).request
    for name in ("Authorization", "Cookie", "Proxy-Authorization", "X-Api-Key", "Host"):
        assert name in redirected.headers
    assert redirected.meta["auth"] == ("user", "pw")


@pytest.mark.parametrize("location", OTHER_ORIGINS)
def test_no_credentials_by_meta_refresh(location: str) -> None:
    page = f'<meta http-equiv="refresh" content="0; url={location}">'.encode()
    response = Response(HOME, 200, {"Content-Type": "text/html"}, page)
    verdict = redirect_verdict(secretive(), response, RULES)
    assert isinstance(verdict, Later)
    assert verdict.request.headers.getlist("Authorization") == []
    assert verdict.request.headers.getlist("Cookie") == []
    assert verdict.request.headers.getlist("X-Api-Key") == []
    assert "auth" not in verdict.request.meta
    assert "@" not in verdict.request.url


def test_credentials_do_not_come_back_with_the_way_back() -> None:
    away = follow("https://b.example/", request=secretive()).request
    back = redirect_verdict(away, Response(away.url, 302, {"Location": HOME}), RULES)
    assert isinstance(back, Later)
    assert "Authorization" not in back.request.headers
    assert "X-Api-Key" not in back.request.headers


@pytest.mark.parametrize("name", ["x-api-key", b"X-API-KEY"])
def test_secret_headers_may_be_one_name(name: Any) -> None:
    request = Request(HOME, headers={"X-Api-Key": "k"}, meta={"secret_headers": name})
    assert "X-Api-Key" not in follow("https://b.example/", request=request).request.headers


@pytest.mark.parametrize(("status", "method"), list(product(STATUSES, METHODS)))
def test_methods_and_bodies(status: int, method: str) -> None:
    becomes_get = (status in (301, 302) and method == "POST") or (status == 303 and method not in ("GET", "HEAD"))
    headers = {
        "Content-Type": "text/x",
        "Content-Language": "en",
        "content-md5": "x",
        "Transfer-Encoding": "chunked",
        "Accept": "*/*",
    }
    request = Request(HOME, method=method, body=b"secret", headers=headers, meta={"files": {"f": "x"}})
    redirected = follow("/next", status, request).request
    if becomes_get:
        assert (redirected.method, redirected.body) == ("GET", b"")
        assert [name.lower() for name, _ in redirected.headers.raw()] == [b"accept"]
        assert "files" not in redirected.meta
    else:
        assert (redirected.method, redirected.body) == (method, b"secret")
        assert len(redirected.headers.raw()) == 5
        assert redirected.meta["files"] == {"f": "x"}


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/next", "https://a.example/next"),
        ("next?x=1#f", "https://a.example/dir/next?x=1#f"),
        ("", "https://a.example/dir/page"),
        ("HTTP://B.example", "http://b.example/"),
        ("//b.example/x y", "https://b.example/x%20y"),
        ("/caf\u00e9".encode(), "https://a.example/caf%C3%A9"),
        ("/caf\u00e9".encode("latin-1"), "https://a.example/caf%E9"),
        (b"/already%C3%A9", "https://a.example/already%C3%A9"),
        ("\\\\b.example\\x", "https://b.example/x"),
    ],
)
def test_targets(location: Any, target: str) -> None:
    assert follow(location).request.url == target


def test_the_fragment_is_inherited() -> None:
    request = Request(HOME + "#here")
    assert follow("/next", request=request).request.url == "https://a.example/next#here"
    assert follow("/next#there", request=request).request.url == "https://a.example/next#there"


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://b.example/", "data:text/html,x", "javascript:alert(1)", "s3://b/k", "gopher:x"],
)
def test_only_http_and_https(location: str) -> None:
    verdict = follow(location)
    assert isinstance(verdict, GiveUp)
    assert isinstance(verdict.error, UnsupportedScheme)
    assert not verdict.error.sent
    page = f'<meta http-equiv="refresh" content="0; url={location}">'.encode()
    assert redirect_verdict(Request(HOME), Response(HOME, 200, {"Content-Type": "text/html"}, page), RULES) is None


@pytest.mark.parametrize("location", ["http://", "http://a b/", "https://x:99999/", "http://[::1/"])
def test_a_location_that_is_no_url(location: str) -> None:
    verdict = follow(location)
    assert isinstance(verdict, GiveUp)
    assert isinstance(verdict.error, BadResponse)
    assert verdict.error.request is not None


def test_what_a_server_sent_does_not_fill_the_log() -> None:
    for location in ("data:text/html," + "x" * 60_000, "http://[" + "x" * 60_000):
        assert len(str(follow(location).error)) < 400


def test_the_chain_is_told_and_bounded() -> None:
    request = Request(HOME, priority=1)
    rules = RedirectRules(redirect_max_times=3)
    for times in (1, 2, 3):
        verdict = follow("/dir/page", 302, request, rules)
        assert isinstance(verdict, Later)
        assert (verdict.kind, verdict.reason, verdict.seconds) == ("redirect", "302", 0.0)
        request = verdict.request
        assert request.meta["redirect_times"] == times
        assert request.meta["redirect_urls"] == [HOME] * times
        assert request.meta["redirect_reasons"] == [302] * times
        assert request.priority == 1 + 2 * times
    verdict = follow("/dir/page", 302, request, rules)
    assert isinstance(verdict, GiveUp)
    assert isinstance(verdict.error, TooManyRedirects)
    assert verdict.error.request is request


def test_callbacks_stay() -> None:
    def parse(_response: Response) -> None: ...

    request = Request(HOME, parse, errback=parse, cb_kwargs={"a": 1}, dont_filter=True)
    redirected = follow("/next", request=request).request
    assert (redirected.callback, redirected.errback, redirected.cb_kwargs) == (parse, parse, {"a": 1})
    assert redirected.dont_filter


@pytest.mark.parametrize(
    ("meta", "rules"),
    [
        ({"dont_redirect": True}, RULES),
        ({"handle_httpstatus_all": True}, RULES),
        ({"handle_httpstatus_list": [302]}, RULES),
        ({}, RedirectRules(handle_httpstatus_list=frozenset({302}))),
        ({}, RedirectRules(redirect_enabled=False)),
    ],
)
def test_a_redirect_that_somebody_wants_to_see(meta: dict[str, Any], rules: RedirectRules) -> None:
    assert follow("/next", 302, Request(HOME, meta=meta), rules) is None


@pytest.mark.parametrize("status", [200, 201, 300, 304, 305, 306, 404])
def test_other_statuses_do_not_redirect(status: int) -> None:
    assert follow("/next", status) is None


def test_no_location_is_no_redirect() -> None:
    assert redirect_verdict(Request(HOME), Response(HOME, 302), RULES) is None


@pytest.mark.parametrize(
    ("referer", "location", "told"),
    [
        ("https://a.example/from?x", "/next", b"https://a.example/from?x"),
        ("https://a.example/from?x", "https://b.example/", b"https://a.example/"),
        ("https://a.example/from?x", "http://a.example/", None),
        ("https://u:p@a.example/from#f", "/next", b"https://a.example/from"),
        ("android-app://x", "https://b.example/", None),
    ],
)
def test_the_referer_is_cut_to_what_the_target_may_know(referer: str, location: str, told: bytes | None) -> None:
    request = Request(HOME, headers={"Referer": referer})
    assert follow(location, request=request).request.headers.get("Referer") == told


def test_the_redirects_own_referrer_policy_counts() -> None:
    request = Request(HOME, headers={"Referer": "https://a.example/from"})
    verdict = follow("/next", request=request, policy="no-referrer")
    assert "Referer" not in verdict.request.headers


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3.0), ("7200", 600.0), ("Tue, 14 Nov 2023 22:13:30 GMT", 10.0), ("soon", 0.0), ("-1", 0.0), ("", 0.0)],
)
def test_a_redirect_may_ask_to_be_followed_later(value: str, seconds: float) -> None:
    response = Response(HOME, 302, {"Location": "/next", "Retry-After": value})
    verdict = redirect_verdict(Request(HOME), response, RULES, wall=1_700_000_000.0)
    assert isinstance(verdict, Later)
    assert verdict.seconds == seconds


def test_a_chain_knows_the_method_that_it_answers() -> None:
    request = Request(HOME, method="POST", body=b"a=b")
    for status in (307, 303, 302):
        verdict = redirect_verdict(request, Response(request.url, status, {"Location": "/next"}), RULES)
        assert isinstance(verdict, Later)
        request = verdict.request
        assert request.meta["redirect_method"] == "POST"
    read = follow("/next")
    assert "redirect_method" not in read.request.meta
