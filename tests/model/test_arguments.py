"""An argument of the wrong shape is told of where the request is made, and what would be right."""

from __future__ import annotations

import datetime
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest

from crawler.errors import InvalidRequest
from crawler.model.request import Request
from crawler.scrapy.forms import FormRequest

FILE = BytesIO(b"x")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"files": {"f": b"x"}}, "got bytes; io.BytesIO(…) makes a file of them"),
        ({"files": {"f": "text"}}, "files['f'] must be a file opened in binary mode, (file name, file) or"),
        ({"files": {"f": ("n", b"x")}}, "got bytes; io.BytesIO"),
        ({"files": {"f": ("n", FILE, "text/plain")}}, "got (str, BytesIO, str)"),
        ({"files": {"f": ("n",)}}, "got (str)"),
        ({"files": {"f": ()}}, "got ()"),
        ({"files": {"f": None}}, "got NoneType"),
        ({"files": {"f": Path("x")}}, "got PosixPath"),
        ({"files": {"f": StringIO("x")}}, 'open it with mode "rb"'),
        ({"files": {5: FILE}}, "pairs of field name and file"),
        ({"files": b"x"}, "files must be a dict"),
        ({"files": [FILE]}, "files must be a dict"),
        ({"files": {"f": FILE}, "json": {}}, "not both"),
        ({"json": object()}, "json cannot be encoded"),
        ({"data": {"a": {"b": 1}}}, "form field 'a' must be text, a number or a list of these, got a dict"),
        ({"data": {"a": [["x"]]}}, "form data has a list where"),
        ({"data": {"a": object()}}, "form data has a object where"),
        ({"data": ["ab"]}, "form data must be a mapping or pairs"),
        ({"headers": "A: b"}, "headers must be a dict or pairs"),
        ({"headers": 5}, "headers must be a dict or pairs"),
        ({"headers": [("a",)]}, "headers must be a dict or pairs"),
        ({"headers": {"a": {"b": 1}}}, "header a: value must be str, bytes or int, got dict"),
        ({"cookies": 5}, "cookies must be a dict"),
        ({"cookies": {"a": {"b": 1}}}, "cookie 'a': value must be text or a number, got dict"),
        ({"cookies": [{"name": "a", "value": ["x"]}]}, "cookie 'a': value must be text or a number, got list"),
        ({"meta": 5}, "meta must be a dict"),
        ({"cb_kwargs": {1: 2}}, "cb_kwargs must be a dict whose keys are names"),
        ({"cb_kwargs": 5}, "cb_kwargs must be a dict"),
        ({"flags": "word"}, "flags must be a list"),
        ({"timeout": "3"}, "timeout must be a number of seconds"),
        ({"timeout": -1}, "timeout must be a number of seconds"),
        ({"timeout": float("nan")}, "timeout must be a number of seconds"),
        ({"max_size": 1.5}, "max_size must be a whole number"),
        ({"proxy": 5}, "proxy must be a URL"),
        ({"auth": ("a",)}, "auth must be (user, password)"),
        ({"into": 5}, "into must be a path"),
    ],
)
def test_a_wrong_shape_is_told(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Request("http://a.example/", **given)
    assert said in str(caught.value)


def test_a_form_is_checked_as_well() -> None:
    with pytest.raises(InvalidRequest, match="form field 'a'"):
        FormRequest("http://a.example/", formdata={"a": {"b": 1}})


def test_what_has_the_right_shape_is_taken() -> None:
    for files in (
        {"f": FILE},
        [("f", FILE)],
        {"f": ("n", FILE)},
        {"f": ("n", "text/plain", FILE)},
        {"f": (None, FILE)},
    ):
        assert Request("http://a.example/", files=files).meta["files"] == files
    assert Request("http://a.example/", files=iter([("f", FILE)])).meta["files"] == [("f", FILE)]
    data = {"a": [1, 2.5, True], "b": Decimal("1.0"), "c": datetime.date(2026, 1, 2), "d": None, "e": (b"x", "y")}
    assert Request("http://a.example/", data=data).body == b"a=1&a=2.5&a=True&b=1.0&c=2026-01-02&e=x&e=y"
    cookies = {"a": 1, "b": Decimal(2), "c": b"x"}
    request = Request("http://a.example/", cookies=cookies, timeout=0, max_size=5, into=Path("x"), auth="u:p")
    assert request.cookies == cookies
    assert Request("http://a.example/", cookies={"a": None}).cookies == {}
