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
    stored,
    validators,
    variant,
    vary,
)

NOW = 1_800_000_000.0


def date(seconds: float) -> str:
    return formatdate(NOW + seconds, usegmt=True)


def kept(*, status: int = 200, received: float = 0.0, **fields: Any) -> Kept:
    headers = Headers({name.replace("_", "-"): value for name, value in fields.items()})
    return Kept(status, headers, NOW + received, NOW + received)


def test_directives() -> None:
    headers = Headers({"Cache-Control": ['Max-Age=5, private="a, b" ,no-cache', "max-age=7,,x=;"]})
    assert directives(headers) == {b"max-age": b"5", b"private": b"a, b", b"no-cache": None, b"x": b""}
    headers = Headers({"Cache-Control": '1max-age=5; ext="max-age=7, no-store";max-age=9,x-no-store'})
    assert directives(headers) == {b"ext": b"max-age=7, no-store", b"max-age": b"9", b"x-no-store": None}


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
        (90.0, {"Expires": date(90).lower(), "Date": date(0)}),
        (90.0, {"Expires": [date(90), date(9)], "Date": date(0)}),
        (90.0, {"Expires": "Friday, 15-Jan-27 08:01:30 GMT", "Date": date(0)}),
        (90.0, {"Expires": "Fri Jan 15 08:01:30 2027", "Date": date(0)}),
        (90.0, {"Expires": date(90)}),
        (90.0, {"Expires": date(90), "Date": "rubbish"}),
        *(
            (0.0, {"Expires": expires, "Date": date(0)})
            for expires in (
                "-1",
                "",
                "3600",
                "Fri, 15 Jan 2027 08:01:30",
                "Fri, 15 Jan 2027 08:01:30 UTC",
                "Fri, 15 Jan 2027 08:01:30 +0000",
                "Fri, 15 Jan 2027 08:01:30 EST",
                "Fri 15 Jan 2027 08:01:30 GMT",
                "Fri, 15-Jan-2027 08:01:30 GMT",
                "Fri, 15 Jan 27 08:01:30 GMT",
                "Fri, 15  Jan 2027 08:01:30 GMT",
                "Fri, 15 Jan 2027 8:01:30 GMT",
                "Fri, 15 Jan 2027 08.01.30 GMT",
                "Fri, 31 Feb 2027 08:01:30 GMT",
                "Fri, 15 Jan 2027 25:01:30 GMT",
                "2027-01-15T08:01:30Z",
            )
        ),
        (100.0, {"Last_Modified": date(-1000), "Date": date(0)}),
        (100.0, {"Last_Modified": date(-1000)}),
        (0.0, {"Last_Modified": date(-1000), "Expires": "0"}),
        (0.0, {"Last_Modified": date(-1000), "Cache_Control": "max-age='60'"}),
        (60.0, {"Cache_Control": "max-age=00000000000060"}),
        (60.0, {"Cache_Control": ["max-age=60", "max-age=7200"]}),
        (60.0, {"Cache_Control": "MAX-AGE=60, x=max-age=5"}),
        (0.0, {"Cache_Control": "s-maxage=60"}),
        (86_400.0, {"Last_Modified": date(-1e9), "Date": date(0)}),
        (0.0, {}),
    ],
)
def test_lifetime(seconds: float, fields: dict[str, Any]) -> None:
    assert lifetime(kept(**fields)) == seconds


def test_public_lets_any_status_be_fresh_by_its_last_change() -> None:
    fields = {"Last_Modified": date(-1000), "Date": date(0)}
    assert lifetime(kept(status=201, **fields)) == 0
    assert lifetime(kept(status=201, Cache_Control="public", **fields)) == 100


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7200, 0", 7200),
        ("0, 7200", 0),
        (["7200", "0"], 7200),
        ("7200 , x", 7200),
        ("x, 7200", 0),
        ("-7200", 0),
        ("7200.0", 0),
        ("7200;a=1", 0),
        ("", 0),
        ("000000000000007200", 7200),
        ("99999999999999999999", 2**31),
    ],
)
def test_of_an_age_the_first_number_counts(said: Any, seconds: int) -> None:
    assert age(kept(Age=said), NOW) == seconds


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


def test_what_concerns_one_connection_is_not_stored() -> None:
    answer = kept(
        Connection="close, X-Hop ,x-other", X_Hop="1", X_Other="2", X_Stays="3", Keep_Alive="timeout=5", TE="x"
    )
    assert stored(answer).headers.raw() == [(b"X-Stays", b"3"), (b"Date", date(0).encode())]
    old = kept(Date=date(-5), Set_Cookie="a=b", Content_Length="7", WWW_Authenticate="Basic")
    assert stored(old).headers.raw() == old.headers.raw()
    assert stored(kept(Date="rubbish")).headers.raw() == [(b"Date", date(0).encode())]
    new = freshened(kept(X_Hop="old", ETag='"x"'), kept(status=304, Connection="x-hop", X_Hop="new"))
    assert new.headers["X-Hop"] == b"old"
    assert "Connection" not in new.headers


def test_a_304_makes_an_answer_as_young_as_itself() -> None:
    old = kept(ETag='"x"', Age="500", Date=date(-1000), Cache_Control="max-age=60")
    new = freshened(old, kept(status=304, received=2000, Date=date(2000)))
    assert "Age" not in new.headers
    assert is_fresh(Headers(), new, NOW + 2059)
    assert not is_fresh(Headers(), new, NOW + 2060)
    assert is_fresh(Headers(), freshened(old, kept(status=304, received=2000)), NOW + 2059)
    assert not is_fresh(Headers(), freshened(old, kept(status=304, received=2000, Age="50")), NOW + 2010)


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
