from __future__ import annotations

import time
from email.utils import formatdate
from typing import Any

import pytest

from crawler.model.headers import Headers
from crawler.policy.freshness import (
    Kept,
    age,
    directives,
    freshened,
    invalidates,
    is_fresh,
    lifetime,
    may_store,
    moment,
    validators,
    variant,
    vary,
)

NOW = 1_800_000_000.0


def date(seconds: float) -> str:
    return formatdate(NOW + seconds, usegmt=True)


def kept(*, status: int = 200, received: float = 0.0, **fields: str) -> Kept:
    headers = Headers({name.replace("_", "-"): value for name, value in fields.items()})
    return Kept(status, headers, NOW + received, NOW + received)


def test_directives() -> None:
    headers = Headers({"Cache-Control": ['Max-Age=5, private="a, b" ,no-cache', "max-age=7,,x=;"]})
    assert directives(headers) == {b"max-age": b"5", b"private": b"a, b", b"no-cache": None, b"x": b""}


@pytest.mark.parametrize(
    ("seconds", "fields"),
    [
        (60.0, {"Cache_Control": "max-age=60"}),
        (60.0, {"Cache_Control": 'max-age="60"'}),
        (60.0, {"Cache_Control": "max-age=60", "Expires": date(9)}),
        (60.0, {"Cache_Control": "max-age=60, s-maxage=5"}),
        (0.0, {"Cache_Control": "max-age=soon"}),
        (0.0, {"Cache_Control": "max-age=-5"}),
        (2.0**31, {"Cache_Control": "max-age=999999999999999999999"}),
        (90.0, {"Expires": date(90), "Date": date(0)}),
        (0.0, {"Expires": "0", "Date": date(0)}),
        (0.0, {"Expires": date(-90), "Date": date(0)}),
        (100.0, {"Last_Modified": date(-1000), "Date": date(0)}),
        (86_400.0, {"Last_Modified": date(-1e9), "Date": date(0)}),
        (0.0, {}),
    ],
)
def test_lifetime(seconds: float, fields: dict[str, Any]) -> None:
    assert lifetime(kept(**fields)) == seconds


def test_age() -> None:
    assert age(kept(), NOW + 5) == 5
    assert age(kept(Age="10"), NOW + 5) == 15
    assert age(kept(Date=date(-30)), NOW + 5) == 35
    assert age(kept(Age="rubbish", Date=date(+30)), NOW) == 0
    slow = Kept(200, Headers({"Age": "10"}), NOW - 4, NOW)
    assert age(slow, NOW) == 14


@pytest.mark.parametrize(
    ("request_fields", "fields", "after", "fresh"),
    [
        ({}, {"Cache_Control": "max-age=60"}, 59, True),
        ({}, {"Cache_Control": "max-age=60"}, 60, False),
        ({}, {"Cache_Control": "max-age=60, no-cache"}, 1, False),
        ({"Cache-Control": "no-cache"}, {"Cache_Control": "max-age=60"}, 1, False),
        ({"Pragma": "no-cache"}, {"Cache_Control": "max-age=60"}, 1, False),
        ({"Cache-Control": "max-age=10"}, {"Cache_Control": "max-age=60"}, 11, False),
        ({"Cache-Control": "min-fresh=10"}, {"Cache_Control": "max-age=60"}, 50, True),
        ({"Cache-Control": "min-fresh=10"}, {"Cache_Control": "max-age=60"}, 51, False),
        ({"Cache-Control": "max-stale"}, {"Cache_Control": "max-age=60"}, 1000, True),
        ({"Cache-Control": "max-stale=10"}, {"Cache_Control": "max-age=60"}, 70, True),
        ({"Cache-Control": "max-stale=10"}, {"Cache_Control": "max-age=60"}, 71, False),
        ({"Cache-Control": "max-stale"}, {"Cache_Control": "max-age=60, must-revalidate"}, 61, False),
        ({}, {}, 0, False),
    ],
)
def test_is_fresh(request_fields: dict[str, Any], fields: dict[str, Any], after: float, fresh: bool) -> None:
    assert is_fresh(Headers(request_fields), kept(**fields), NOW + after) is fresh


@pytest.mark.parametrize(
    ("method", "request_fields", "status", "fields", "may"),
    [
        ("GET", {}, 200, {"Cache_Control": "max-age=60"}, True),
        ("GET", {}, 200, {"Cache_Control": "private, max-age=60"}, True),
        ("GET", {}, 200, {"ETag": '"x"'}, True),
        ("GET", {}, 200, {}, False),
        ("GET", {}, 302, {"Cache_Control": "max-age=60"}, True),
        ("GET", {}, 302, {"ETag": '"x"'}, False),
        ("GET", {}, 404, {"Last_Modified": date(-1000)}, True),
        ("GET", {}, 206, {"Cache_Control": "max-age=60"}, False),
        ("GET", {}, 304, {"Cache_Control": "max-age=60"}, False),
        ("GET", {}, 200, {"Cache_Control": "max-age=60, no-store"}, False),
        ("GET", {"Cache-Control": "no-store"}, 200, {"Cache_Control": "max-age=60"}, False),
        ("GET", {}, 200, {"Cache_Control": "max-age=60", "Vary": "Accept, *"}, False),
        ("POST", {}, 200, {"Cache_Control": "max-age=60"}, False),
        ("HEAD", {}, 200, {"Cache_Control": "max-age=60"}, False),
    ],
)
def test_may_store(method: str, request_fields: dict[str, Any], status: int, fields: dict[str, Any], may: bool) -> None:
    assert may_store(method, Headers(request_fields), kept(status=status, **fields)) is may


def test_validation() -> None:
    old = kept(ETag='"x"', Last_Modified=date(-9), Cache_Control="max-age=1", Content_Type="text/html", X_Same="1")
    assert validators(old) == [(b"If-None-Match", b'"x"'), (b"If-Modified-Since", date(-9).encode())]
    assert validators(kept()) == []
    news = kept(status=304, received=100, Cache_Control="max-age=60", Content_Type="text/plain", Content_Length="0")
    new = freshened(old, news)
    assert (new.status, new.received) == (200, NOW + 100)
    assert new.headers["Cache-Control"] == b"max-age=60"
    assert new.headers["Content-Type"] == b"text/html"
    assert new.headers["X-Same"] == b"1"
    assert "Content-Length" not in new.headers


def test_vary() -> None:
    names = vary(Headers({"Vary": ["Accept-Language, ACCEPT", "Accept-Encoding"]}))
    assert names == [b"accept", b"accept-language"]
    one = variant(names, Headers({"Accept": "a,b", "Accept-Encoding": "gzip"}))
    assert one == variant(names, Headers({"accept": ["a", " b "]}))
    assert one != variant(names, Headers({"Accept": "a"}))
    assert one != variant(names, Headers({"Accept": "a,b", "Accept-Language": "en"}))


def test_invalidation() -> None:
    assert invalidates("POST", 201)
    assert not invalidates("POST", 404)
    assert not invalidates("GET", 200)


@pytest.mark.parametrize("value", [b"", b"tomorrow", b"0", b"x" * 100, b"Mon, 99 Foo 99999 99:99:99 GMT", b"\xff"])
def test_dates_that_are_none(value: bytes) -> None:
    assert moment(value) is None


@pytest.mark.parametrize("piece", [b'"', b"a=", b"a,", b'a="\\', b" "])
def test_nonsense_takes_no_time(piece: bytes) -> None:
    started = time.process_time()
    directives(Headers({"Cache-Control": piece * 100_000 + b"x"}))
    assert time.process_time() - started < 2
