"""A password in a URL is not shown; control characters of a page do not reach a terminal."""

from __future__ import annotations

import time

import pytest

from crawler.model.masking import credentials_in, escape, harmless, masked, without_secrets
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


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("ftp://u:p@h/x", "ftp://u:***@h/x"),
        ("sftp://u@h/x", "sftp://u@h/x"),
        ("s3://KEY:a/b+c@bucket/x", "s3://KEY:***@bucket/x"),
        ({"ftp://u:p@h/x.jl": {"overwrite": True}}, {"ftp://u:***@h/x.jl": {"overwrite": True}}),
        ({"fields": {"token": "T"}}, {"fields": {"token": "T"}}),
        ({"storage_options": {"key": "K", "secret": "S"}}, {"storage_options": {"key": "K", "secret": "***"}}),
        (
            {"storage_options": {"client_kwargs": {"aws_session_token": "T"}}},
            {"storage_options": {"client_kwargs": {"aws_session_token": "***"}}},
        ),
        ([1, "ftp://u:p@h"], [1, "ftp://u:***@h"]),
    ],
)
def test_what_a_job_keeps_has_no_secrets_and_whose_they_are(value: object, kept: object) -> None:
    assert without_secrets(value) == kept
    assert without_secrets(kept) == kept


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("ftp://u:p@h:21/x@y", ("ftp://", "u", "p", "h:21/x@y")),
        ("sftp://u@h/x", ("sftp://", "u", None, "h/x")),
        ("s3://b/k", ("s3://", "", None, "b/k")),
        ("s3://K:a/b@b/k", ("s3://", "K", "a/b", "b/k")),
        ("a/b", ("", "", None, "a/b")),
    ],
)
def test_the_credentials_of_a_store_are_found(url: str, parts: tuple[str, str, str | None, str]) -> None:
    assert credentials_in(url) == parts
