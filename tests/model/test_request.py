"""Is a request a value, with Scrapy's face and nothing dangerous in it?"""

from __future__ import annotations

import copy
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from crawler.errors import InvalidRequest
from crawler.model.fields import NO_CALLBACK
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.scrapy.forms import FormRequest, JsonRequest

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"


def test_defaults() -> None:
    request = Request("http://example.com")
    assert request.url == "http://example.com/"
    assert (request.method, request.body, request.priority, request.dont_filter) == ("GET", b"", 0, False)
    assert (request.callback, request.errback, request.problem) == (None, None, None)
    assert (request.meta, request.cb_kwargs, request.cookies, request.flags) == ({}, {}, {}, [])
    assert request.headers == Headers()
    assert (request.host, request.origin, repr(request)) == (
        "example.com",
        "http://example.com:80",
        "<GET http://example.com/>",
    )


def test_the_positional_order_is_scrapys() -> None:
    request = Request("http://x/", print, "post", {"A": "1"}, "b", {"c": "d"}, {"m": 1}, "latin-1", 5, True, len)
    assert (request.callback, request.method, request.body) == (print, "POST", b"b")
    assert (request.cookies, request.meta, request.encoding) == ({"c": "d"}, {"m": 1}, "latin-1")
    assert (request.priority, request.dont_filter, request.errback) == (5, True, len)


@pytest.mark.parametrize("name", [*Request.attributes, "problem", "host", "origin"])
def test_fields_cannot_be_assigned(name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(Request("http://x/"), name, "y")


def test_the_message_says_what_to_do_instead() -> None:
    with pytest.raises(AttributeError, match=r"use request.replace\(url=...\)"):
        Request("http://x/").url = "http://y/"


def test_dictionaries_are_its_own_and_may_be_changed() -> None:
    meta: dict[str, Any] = {"a": 1}
    headers = Headers({"A": "1"})
    request = Request("http://x/", meta=meta, cb_kwargs=meta, headers=headers)
    request.meta["b"] = 2
    request.headers["A"] = "2"
    assert meta == {"a": 1} == request.cb_kwargs
    assert headers["A"] == b"1"
    other = request.copy()
    other.meta["c"] = 3
    other.headers["A"] = "3"
    assert request.meta == {"a": 1, "b": 2}
    assert request.headers["A"] == b"2"


def test_an_invalid_url_is_told_not_raised() -> None:
    for url, why in (
        ("www.example.com", "scheme is missing"),
        ("http://a b/", "host or port"),
        ("http://x/\r\nSet-Cookie: a", "CR, LF or NUL"),
        ("http://x/\0", "CR, LF or NUL"),
        ("mailto:a@b.c", "fetched"),
        ("javascript:void(0)", "fetched"),
    ):
        request = Request(url)
        assert why in str(request.problem)
        assert request.url == url
        assert request.replace(url="http://x/").problem is None
    assert Request("data:text/html,x").problem is None


@pytest.mark.parametrize(
    "line",
    (DATA / "ssrf-traversal" / "crlfinjection.txt").read_text().splitlines()
    if (DATA / "ssrf-traversal").exists()
    else [pytest.param("", marks=pytest.mark.skip("no ../shared/data/ssrf-traversal"))],
)
def test_published_injections_stay_inside_the_url(line: str) -> None:
    request = Request("http://x/" + line)
    assert request.problem or not set(request.url) & set("\r\n\0 ")


@pytest.mark.parametrize(
    "arguments",
    [
        {"method": "GET /\r\n"},
        {"method": "a b"},
        {"method": ""},
        {"method": 5},
        {"headers": {"A": "b\r\nC: d"}},
        {"headers": {"A b": "c"}},
        {"cookies": {"a": "b\r\n"}},
        {"cookies": {"a\0": "b"}},
        {"cookies": [{"name": "a", "value": "b\n"}]},
        {"cookies": [{"name": "a", "value": "b", "path": "/\r"}]},
        {"cookies": [{"name": "a"}]},
        {"cookies": "a=b"},
        {"priority": 1.5},
        {"priority": "1"},
        {"body": {"a": 1}},
        {"body": "é", "encoding": "ascii"},
        {"callback": "parse"},
        {"errback": 5},
        {"url": b"http://x/"},
        {"url": None},
        {"json": 1, "data": {"a": 1}},
        {"json": 1, "body": "x"},
        {"data": "a=1"},
        {"data": [1]},
    ],
)
def test_what_cannot_be_sent_is_refused_here(arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        Request(**{"url": "http://x/", **arguments})


def test_an_unknown_argument_is_an_error() -> None:
    with pytest.raises(TypeError, match="calback"):
        Request("http://x/", calback=print)


def test_json_and_data_set_body_type_and_method() -> None:
    request = Request("http://x/", json={"a": [1, None]})
    assert (request.method, request.body, request.headers["Content-Type"]) == (
        "POST",
        b'{"a":[1,null]}',
        b"application/json",
    )
    assert Request("http://x/", json=None).body == b"null"
    request = Request("http://x/", data={"a": ["1", "2"], "é": "ü & ö", "n": 5})
    assert request.body == b"a=1&a=2&%C3%A9=%C3%BC+%26+%C3%B6&n=5"
    assert request.headers["Content-Type"] == b"application/x-www-form-urlencoded"
    assert Request("http://x/", method="PUT", data=[("a", "1"), ("a", "2")]).method == "PUT"
    assert Request("http://x/", json=1, headers={"content-type": "x/y"}).headers["Content-Type"] == b"x/y"
    assert Request("http://x/", data={"a": "é€"}, encoding="latin-1").body == b"a=%E9%26%238364%3B"


def test_controls_go_into_meta_under_scrapys_keys() -> None:
    file = BytesIO(b"")
    request = Request(
        "http://x/",
        timeout=3,
        max_size=5,
        proxy="http://p:1",
        session="s",
        auth=("u", "p"),
        into="f",
        files={"a": file},
    )
    assert request.meta == {
        "download_timeout": 3,
        "download_maxsize": 5,
        "proxy": "http://p:1",
        "session": "s",
        "auth": ("u", "p"),
        "download_file": "f",
        "files": {"a": file},
    }
    assert request.method == "POST"
    assert request.replace().meta == request.meta


def test_replace_keeps_class_and_everything_else() -> None:
    class Special(Request):
        pass

    request = Special("http://x/", print, "PUT", {"A": "1"}, b"b", meta={"a": 1}, priority=3, cb_kwargs={"k": 1})
    other = request.replace(url="http://y/", priority=4)
    assert type(other) is Special
    assert (other.url, other.priority, other.method, other.body) == ("http://y/", 4, "PUT", b"b")
    assert (other.meta, other.cb_kwargs, other.headers) == (request.meta, request.cb_kwargs, request.headers)
    assert request.url == "http://x/"
    assert type(request.replace(cls=Request)) is Request
    assert Request("http://x/").replace(json=1).method == "POST"
    posted = Request("http://x/", data={"a": 1}).replace(json=[2])
    assert (posted.body, posted.headers["Content-Type"]) == (b"[2]", b"application/json")
    assert copy.copy(request).url == request.url


def test_to_dict_names_the_callbacks() -> None:
    class Spider:
        def parse(self, response: object) -> None: ...

    spider = Spider()
    request = Request("http://x/", spider.parse, headers={"a": "b"}, errback=spider.parse, meta={"m": 1})
    fields = request.to_dict(spider=spider)
    assert fields["callback"] == fields["errback"] == "parse"
    assert fields["headers"] == {b"A": [b"b"]}
    assert set(fields) == set(Request.attributes)
    assert JsonRequest("http://x/").to_dict()["_class"].endswith("JsonRequest")
    assert Request(**{**fields, "callback": None, "errback": None}).headers == request.headers
    with pytest.raises(ValueError, match="not a method"):
        Request("http://x/", print).to_dict(spider=spider)


def test_no_callback_is_never_meant_to_run() -> None:
    with pytest.raises(RuntimeError):
        Request("http://x/", NO_CALLBACK).callback(None)  # type: ignore[misc]


def test_form_requests_as_scrapy_makes_them() -> None:
    request = FormRequest("http://x/", formdata={"a": "1", "b": ["2", "3"]})
    assert (request.method, request.body) == ("POST", b"a=1&b=2&b=3")
    request = FormRequest("http://x/?old=1", method="GET", formdata=[("a", "1")])
    assert (request.method, request.url, request.body) == ("GET", "http://x/?a=1", b"")
    assert FormRequest("http://x/").method == "GET"
    assert type(FormRequest("http://x/", formdata={"a": "1"}).replace(priority=1)) is FormRequest


def test_json_requests_as_scrapy_makes_them() -> None:
    request = JsonRequest("http://x/", data={"b": 1, "a": 2})
    assert (request.method, request.body) == ("POST", b'{"a": 2, "b": 1}')
    assert request.headers["Content-Type"] == b"application/json"
    assert request.headers["Accept"].startswith(b"application/json")
    again = request.replace(data=[1], dumps_kwargs={"indent": 1})
    assert (again.method, again.body) == ("POST", b"[\n 1\n]")
    assert JsonRequest("http://x/").method == "GET"
    assert JsonRequest("http://x/", method="PUT", data=1).method == "PUT"
    with pytest.raises(InvalidRequest):
        JsonRequest("http://x/", data=1, body="x")


def test_an_argument_that_is_not_known_is_named_with_the_nearest() -> None:
    with pytest.raises(
        TypeError, match=r"^Request\(\) got an unexpected keyword argument 'calback'; did you mean callback\?"
    ):
        Request("http://x/", calback=print)  # type: ignore[call-arg]


def test_a_cookie_without_a_value_is_left_out() -> None:
    assert Request("http://x/", cookies={"a": None, "b": ""}).cookies == {"b": ""}
    cookies: Any = [{"name": "a", "value": None}, {"name": "b", "value": "1", "domain": None}]
    assert Request("http://x/", cookies=cookies).cookies == [{"name": "b", "value": "1", "domain": None}]
    assert Request("http://x/").replace(cookies={"a": None}).cookies == {}
