"""Do headers mean what Scrapy's mean, and refuse what would write a second header?"""

from __future__ import annotations

import pytest

from crawler.errors import InvalidRequest
from crawler.model.headers import Headers


def test_names_have_no_case_and_the_last_value_wins() -> None:
    headers = Headers([("content-type", "a"), ("Content-Type", "b")])
    assert headers["CONTENT-TYPE"] == b"b"
    assert headers.getlist(b"content-type") == [b"a", b"b"]
    assert headers.text("Content-Type") == "b"
    assert list(headers) == [b"Content-Type"]
    assert headers.items() == [(b"Content-Type", [b"a", b"b"])]
    assert len(headers) == 1
    assert "content-TYPE" in headers
    assert headers.raw() == [(b"content-type", b"a"), (b"Content-Type", b"b")]


def test_values_may_be_text_bytes_numbers_and_lists() -> None:
    headers = Headers({"A": "é", "B": b"\xe9", "C": 5, "D": ["x", b"y", 1]})
    assert [headers["a"], headers["b"], headers["c"], headers.getlist("d")] == [
        "é".encode(),
        b"\xe9",
        b"5",
        [b"x", b"y", b"1"],
    ]
    assert headers.text("a") == "é"
    assert headers.text("b") == "é"
    assert headers.text("none", "given") == "given"
    assert headers.get("none", "given") == b"given"
    assert headers.getlist("none", ["x"]) == [b"x"]


def test_none_takes_a_name_without_sending_it() -> None:
    headers = Headers({"User-Agent": None})
    assert "user-agent" in headers
    assert headers.setdefault("User-Agent", "crawler") is None
    assert headers.raw() == []
    assert headers.copy() == headers
    with pytest.raises(KeyError):
        headers["User-Agent"]
    headers["User-Agent"] = "again"
    assert headers.raw() == [(b"User-Agent", b"again")]


def test_setting_replaces_in_place_and_appending_adds() -> None:
    headers = Headers.from_raw([(b"a", b"1"), (b"B", b"2"), (b"A", b"3")])
    headers["A"] = "4"
    assert headers.raw() == [(b"A", b"4"), (b"B", b"2")]
    headers.append("b", ["5", "6"])
    assert headers.getlist("B") == [b"2", b"5", b"6"]
    del headers["b"]
    assert headers.pop("A") == b"4"
    assert headers.pop("A", None) is None
    assert not headers
    with pytest.raises(KeyError):
        del headers["b"]


def test_a_copy_is_ones_own() -> None:
    headers = Headers({"A": "1"})
    other = headers.copy()
    other["A"] = "2"
    assert headers["A"] == b"1"
    assert headers != other
    assert headers == {"a": b"1"}
    assert headers != 5


def test_scrapys_other_forms() -> None:
    headers = Headers({"Accept": ["a", "b"]})
    headers.setlist("X", ["1", "2"])
    headers.appendlist("X", "3")
    headers.update({"Y": "4"}, Z="5")
    assert headers.to_string() == b"Accept: a\r\nAccept: b\r\nX: 1\r\nX: 2\r\nX: 3\r\nY: 4\r\nZ: 5"
    assert headers.to_unicode_dict()["X"] == "1,2,3"
    assert dict(headers)[b"X"] == b"3"
    assert headers.values() == [b"b", b"3", b"4", b"5"]


@pytest.mark.parametrize("value", ["a\r\nX: 1", "a\nb", "a\0", b"\r", ["ok", "a\n"]])
def test_a_value_cannot_write_another_header(value: object) -> None:
    with pytest.raises(InvalidRequest, match="CR, LF or NUL"):
        Headers({"A": value})
    headers = Headers()
    with pytest.raises(InvalidRequest):
        headers["A"] = value
    with pytest.raises(InvalidRequest):
        headers.append("A", value)
    assert not headers


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\n", "ä", b"a\0", 5])
def test_a_name_is_a_token(name: object) -> None:
    with pytest.raises(InvalidRequest, match="header name"):
        Headers({name: "x"})


@pytest.mark.parametrize("value", [1.5, object(), {"a": object()}.values()])
def test_other_values_are_refused_by_name(value: object) -> None:
    with pytest.raises(InvalidRequest, match="header A: value must be"):
        Headers({"A": value})


def test_fill_adds_what_is_missing() -> None:
    headers = Headers({"accept": "a", "X-None": None})
    headers.fill([(b"Accept", b"b"), (b"X-None", b"c"), (b"X-New", b"d")])
    assert headers.raw() == [(b"accept", b"a"), (b"X-New", b"d")]
    assert headers["x-new"] == b"d"
    empty = Headers()
    empty.fill(fields := [(b"A", b"1")])
    empty["B"] = "2"
    assert fields == [(b"A", b"1")]
