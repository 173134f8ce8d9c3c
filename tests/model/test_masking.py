"""A password in a URL is not shown; control characters of a page do not reach a terminal."""

from __future__ import annotations

import time

import pytest

from crawler.model.masking import escape, harmless, masked
from crawler.model.request import Request
from crawler.model.response import Response


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://u:p@h/x", "http://u:***@h/x"),
        ("see http://u:p@ss@h:80/a@b and https://TOKEN@h/", "see http://u:***@h:80/a@b and https://***@h/"),
        ("https://TOKEN:@h/", "https://***@h/"),
        ("['socks5://u:p/a@h:1', 'x@y']", "['socks5://u:***@h:1', 'x@y']"),
        ("http://u:pa#s?s@h", "http://u:***@h"),
        ("//u:p@h", "//u:***@h"),
        ("http://u:p%40q@[::1]:8080/", "http://u:***@[::1]:8080/"),
        ("http://u:it's@h/", "http://u:***@h/"),
    ],
)
def test_passwords_are_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "http://h/x@y", "http://h:80/x@y", "http://h:8080?x=a@b", "http://h:80, a@b", "mailto:a@b", "a@b", "//h/@x",
        '{"a":"http://h","b":"x@y"}', "http://@h/", "http://a.example/ by u:x@y",
    ],
)  # fmt: skip
def test_what_is_no_password_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize("text", ["//a:z" * 20_000 + "@ ", "//" * 50_000 + "a:" * 50_000 + "@", "//a:" * 30_000 + " @"])
def test_masking_takes_linear_time(text: str) -> None:
    begun = time.process_time()
    masked(text)
    assert time.process_time() - begun < 1


def test_requests_and_responses_are_shown_without_and_keep_theirs() -> None:
    request = Request("https://u:secret@h.example/")
    assert repr(request) == str(request) == "<GET https://u:***@h.example/>"
    assert request.url == "https://u:secret@h.example/"
    response = Response("https://u:secret@h.example/")
    assert repr(response) == "<200 https://u:***@h.example/>"
    assert response.url == "https://u:secret@h.example/"


def test_what_moves_a_cursor_or_turns_text_around_is_escaped() -> None:
    hostile = "a\x1b[2J\x9b1A\x7f\x00\u202eb\u2066c\u061cd"
    assert escape(hostile).isprintable()
    assert harmless(hostile + "\n\r\n\t") == ("a\\u001b[2J\\u009b1A\\u007f\\u0000\\u202eb\\u2066c\\u061cd" + "\n\r\n\t")
    assert harmless("a\rb") == "a\\u000db"
