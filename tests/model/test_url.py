"""Is the normal form WHATWG's, and is the quick way to it right?"""

from __future__ import annotations

import random
from io import BytesIO

import ada_url
import pytest

from crawler.errors import InvalidRequest
from crawler.model.link import Base
from crawler.model.request import Request
from crawler.model.url import (
    credentials_of,
    fingerprint,
    host_of,
    identity,
    is_address,
    is_http,
    is_plain_url,
    join,
    normalise,
    origin_of,
    split,
    with_query,
    without_credentials,
    without_fragment,
)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("HTTP://EXAMPLE.com", "http://example.com/"),
        ("http://example.com:80/a/../b/./c", "http://example.com/b/c"),
        ("https://example.com:443/", "https://example.com/"),
        ("http://example.com/a b?c d#e f", "http://example.com/a%20b?c%20d#e%20f"),
        ("http://exämple.com/ü?ü", "http://xn--exmple-cua.com/%C3%BC?%C3%BC"),
        ("  http://example.com/\n", "http://example.com/"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/"),
        ("http:\\\\example.com\\a", "http://example.com/a"),
        ("http://a_b/", "http://a_b/"),
        ("data:text/html,a", "data:text/html,a"),
        ("http://x/\ud800", "http://x/%EF%BF%BD"),
    ],
)
def test_normal_form(url: str, normal: str) -> None:
    assert normalise(url) == normal
    assert normalise(normal) == normal


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "empty"),
        ("example.com/a", "scheme is missing"),
        ("//example.com/", "scheme is missing"),
        ("http://", "host or port"),
        ("http://a b/", "host or port is not valid: 'a b'"),
        ("http://x:99999/", "host or port"),
        ("http://x/\r\nHost: y", "CR, LF or NUL"),
        ("http://x/\0", "CR, LF or NUL"),
        ("http://x.0/", "host or port"),
    ],
)
def test_what_is_no_url_says_why(url: str, reason: str) -> None:
    with pytest.raises(InvalidRequest, match=reason):
        normalise(url)


@pytest.mark.parametrize(
    ("encoding", "query"),
    [
        ("utf-8", "q=%C3%A9"),
        ("cp1252", "q=%E9"),
        ("cp1251", "q=%26%23233%3B"),
        ("cp932", "q=%26%23233%3B"),
        ("no such", "q=%C3%A9"),
    ],
)
def test_the_query_goes_in_the_encoding_of_the_page(encoding: str, query: str) -> None:
    assert normalise("http://x/é?q=é#é", encoding=encoding) == f"http://x/%C3%A9?{query}#%C3%A9"


def test_trail_bytes_that_look_like_ascii_stay_as_browsers_send_them() -> None:
    assert normalise("http://x/?ソ", encoding="cp932") == "http://x/?%83\\"


ALPHABET = ["a", "B", "1", ".", "..", "/", "//", "%2e", "%41", "%", "?", "#", ":", "@", "'", "^", "xn--", "_", "-"]


def test_the_quick_way_agrees_with_the_parser() -> None:
    chance = random.Random(20)
    accepted = 0
    for _ in range(20_000):
        tail = "".join(chance.choices(ALPHABET, k=chance.randint(0, 9)))
        host = chance.choice(["example.com", "a-b.c_d.org", "1.2.3.4", "256.1.1.1", "a.1", "xn--a.com", "a..b", "x:80"])
        url = chance.choice(["http://", "https://"]) + host + chance.choice(["/", ":8080/", ""]) + tail
        if is_plain_url(url) and "/." not in url:
            accepted += 1
            assert ada_url.normalize_url(url) == url
    assert accepted > 1000


def test_quick_joins_agree_with_the_parser() -> None:
    chance = random.Random(21)
    pieces = [*ALPHABET, "../", "./", "a/", "http:", "http://y.org/", "\t", " ", "é", "?a=1", "#f", "javascript:"]
    for base in ("http://x.org/a/b/c.html?q=/1/2#/3/4", "https://x.org/", "http://x.org/a//b/", "file:///a/b"):
        fast = Base(base)
        for _ in range(10_000):
            href = "".join(chance.choices(pieces, k=chance.randint(0, 6)))
            try:
                expected: str | None = ada_url.join_url(base, href)
            except ValueError:
                expected = None
            try:
                got: str | None = fast.join(href)
            except InvalidRequest:
                got = None
            assert got == expected, (base, href)


def test_links_are_stripped_like_a_browser_does() -> None:
    assert join("http://x/a/", " b\n\tc\r ") == "http://x/a/bc"
    with pytest.raises(InvalidRequest):
        join("http://x/a/", "http://a b/")


@pytest.mark.parametrize(
    ("url", "host", "origin"),
    [
        ("http://example.com/a:b@c", "example.com", "http://example.com:80"),
        ("https://u:p@example.com/", "example.com", "https://example.com:443"),
        ("http://example.com:8080/?a", "example.com", "http://example.com:8080"),
        ("http://[::1]/", "::1", "http://[::1]:80"),
        ("http://[::1]:81/", "::1", "http://[::1]:81"),
        ("foo://h?x@y", "h", "foo://h"),
        ("file:///a", "", "file://"),
        ("data:,x", "", "data://"),
    ],
)
def test_hosts_and_origins(url: str, host: str, origin: str) -> None:
    assert host_of(url) == host
    assert origin_of(url) == origin
    assert split(url).host == host


def test_parts() -> None:
    parts = split("https://us%40er:p%3Aw@example.com/a/b.PDF?q=1#f")
    assert parts == ("https", "example.com", 443, "/a/b.PDF", "q=1", "f", "us@er", "p:w")
    assert split("http://x:81/").port == 81
    assert split("data:text/plain,a").port is None
    assert split("data:text/plain,a").path == "text/plain,a"
    with pytest.raises(InvalidRequest):
        split("no url")


def test_credentials_fragments_queries() -> None:
    assert credentials_of("http://a:b@x/") == ("a", "b")
    assert credentials_of("http://x/@") is None
    assert without_credentials("http://a:b@x/@c") == "http://x/@c"
    assert without_credentials("http://x/@c") == "http://x/@c"
    assert without_fragment("http://x/#a#b") == "http://x/"
    assert with_query("http://x/?a#b", "c=1") == "http://x/?c=1"
    assert with_query("http://x/?a#b", "") == "http://x/"
    assert is_http("https://x/")
    assert not is_http("httpx://x/")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://x/?b=1&a=2", "http://x/?a=2&b=1#top", True),
        ("http://x/%7euser", "http://x/~user", True),
        ("http://x/%c3%a9", "http://x/é", True),
        ("http://x/?a=1&&", "http://x/?a=1", True),
        ("http://x/?", "http://x/", True),
        ("http://x/%2f", "http://x//", False),
        ("http://x/?a=%26b", "http://x/?a=&b", False),
        ("http://x/A", "http://x/a", False),
        ("http://x/", "https://x/", False),
        ("http://x/?a", "http://x/?a=", False),
    ],
)
def test_identity(one: str, other: str, same: bool) -> None:
    assert (identity(normalise(one)) == identity(normalise(other))) is same


def test_fingerprints_name_method_url_and_body() -> None:
    requests = [
        Request("http://x/"),
        Request("http://x/", method="HEAD"),
        Request("http://x/", method="POST"),
        Request("http://x/", method="POST", body="a"),
        Request("http://x/?a"),
        Request("http://x/", files={"a": BytesIO(b"1")}),
        Request("http://x/", files={"a": BytesIO(b"2")}),
    ]
    prints = {fingerprint(request) for request in requests}
    assert len(prints) == len(requests)
    assert all(0 <= each < 2**64 for each in prints)
    assert fingerprint(Request("http://x/?b&a#f")) == fingerprint(Request("http://x/?a&b"))
    # A header, a cookie and a priority change nothing.
    assert fingerprint(Request("http://x/", headers={"A": "b"}, cookies={"a": "b"}, priority=3)) in prints


def test_addresses_are_told_from_names() -> None:
    assert all(map(is_address, ("127.0.0.1", "::1", "2001:db8::8", "fe80::1%1")))
    assert not any(map(is_address, ("", "1.example", "example.1", "a.test", "127.1", "[::1]")))
