"""Does a curl command become the request that curl would send?"""

from __future__ import annotations

from typing import Any

import pytest

from crawler.errors import InvalidRequest
from crawler.model.request import Request

FORM = {b"Content-Type": b"application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("command", "method", "url", "headers", "cookies", "body"),
    [
        ("curl http://a.test/", "GET", "http://a.test/", {}, {}, b""),
        ("curl a.test/b", "GET", "http://a.test/b", {}, {}, b""),
        ("curl -sSL --compressed -o out --url http://a.test/", "GET", "http://a.test/", {}, {}, b""),
        ("curl -XPUT http://a.test/ -H 'A: b' -H 'Empty:'", "PUT", "http://a.test/", {b"A": b"b"}, {}, b""),
        ("curl -I http://a.test/", "HEAD", "http://a.test/", {}, {}, b""),
        ("curl http://a.test/ -d x=1 -d y=2", "POST", "http://a.test/", FORM, {}, b"x=1&y=2"),
        ("curl http://a.test/ -G -d x=1 --data-urlencode 'y=a b'", "GET", "http://a.test/?x=1&y=a+b", {}, {}, b""),
        ("curl 'http://a.test/?z=0#f' -G -d x=1", "GET", "http://a.test/?z=0&x=1#f", {}, {}, b""),
        ("curl http://a.test/ --data-raw @x -X patch", "PATCH", "http://a.test/", FORM, {}, b"@x"),
        (
            "curl http://a.test/ --data-binary '{}' -H 'content-type: application/json'",
            "POST", "http://a.test/", {b"Content-Type": b"application/json"}, {}, b"{}",
        ),
        (
            "curl http://a.test/ --json '{}'",
            "POST", "http://a.test/",
            {b"Content-Type": b"application/json", b"Accept": b"application/json"}, {}, b"{}",
        ),
        ("curl http://a.test/ -b 'a=1; b=x=y' -H 'Cookie: c=3'", "GET", "http://a.test/", {},
         {"a": "1", "b": "x=y", "c": "3"}, b""),
        ("curl http://a.test/ -u me:pw", "GET", "http://a.test/", {b"Authorization": b"Basic bWU6cHc="}, {}, b""),
        ("curl http://a.test/ -A me -e http://b.test/", "GET", "http://a.test/",
         {b"User-Agent": b"me", b"Referer": b"http://b.test/"}, {}, b""),
        (
            "curl 'http://a.test/' \\\n  -H 'x: y' \\\n  --data-raw $'it\\'s \\u0021\\x41\\101\\n'",
            "POST", "http://a.test/", {b"X": b"y", **FORM}, {}, b"it's !AA\n",
        ),
    ],
)  # fmt: skip
def test_what_is_sent(
    command: str, method: str, url: str, headers: dict[bytes, bytes], cookies: dict[str, str], body: bytes
) -> None:
    request = Request.from_curl(command)
    assert (request.method, request.url, request.body) == (method, url, body)
    assert {name: values[-1] for name, values in request.headers.items()} == headers
    assert request.cookies == cookies


def test_other_arguments_go_first() -> None:
    request = Request.from_curl(
        "curl http://a.test/ -x http://p.test:3128 -m 2.5", callback=print, method="POST", cb_kwargs={"a": 1}
    )
    assert (request.method, request.callback, request.cb_kwargs) == ("POST", print, {"a": 1})
    assert request.meta == {"proxy": "http://p.test:3128", "download_timeout": 2.5}


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("wget http://a.test/", "starts with curl"),
        ("curl", "no URL"),
        ("", "starts with curl"),
        ("curl 'http://a.test/", "No closing quotation"),
        ("curl http://a.test/ -d @file", "body is in a file"),
        ("curl http://a.test/ -H", "expected one argument"),
        ("curl http://a.test/ -m soon", "invalid float"),
        ("curl http://a.test/ -H 'A: b\rc'", "contains CR"),
    ],
)
def test_what_cannot_be_read(command: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        Request.from_curl(command)


def test_unknown_options() -> None:
    with pytest.warns(UserWarning, match="--form x"):
        assert Request.from_curl("curl http://a.test/ --form x").url == "http://a.test/"
    with pytest.raises(InvalidRequest, match="--form"):
        Request.from_curl("curl http://a.test/ --form x", ignore_unknown_options=False)


def test_the_class_is_kept() -> None:
    class Mine(Request):
        """A class of the user's."""

    made: Any = Mine.from_curl("curl http://a.test/")
    assert type(made) is Mine
