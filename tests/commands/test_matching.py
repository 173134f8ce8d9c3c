"""What do `crawler fetch --css` and its like print, and `crawler settings --getint`?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.conftest import Crawler

HTML = "<title>Shop</title><h1>Fresh\n  bread</h1><a href=/one>1</a><a href=/two>2</a>"
JSON = {"items": [{"name": "bread"}, {"price": 2}], "next": None, "count": 0}


@pytest.fixture
def pages(folder: Path) -> str:
    (folder / "page.html").write_text(HTML)
    (folder / "page.json").write_text(json.dumps(JSON))
    return folder.as_uri()


@pytest.mark.parametrize(
    ("page", "options", "status", "out"),
    [
        ("page.html", ["--css", "h1::text"], 0, "Fresh bread\n"),
        ("page.html", ["--xpath", "//a/@href"], 0, "/one\n/two\n"),
        ("page.html", ["--xpath", "count(//a)"], 0, "2.0\n"),
        ("page.html", ["--css", "h2"], 1, ""),
        ("page.json", ["--json", "items[].name"], 0, "bread\n"),
        ("page.json", ["--json", "items[1]"], 0, '{"price":2}\n'),
        ("page.json", ["--json", "count"], 0, "0\n"),
        ("page.json", ["--json", "next"], 1, ""),
    ],
)
def test_matches_are_a_line_each_and_none_is_status_1(
    crawler: Crawler, pages: str, page: str, options: list[str], status: int, out: str
) -> None:
    done = crawler("fetch", f"{pages}/{page}", *options)
    assert (done.status, done.out, done.err) == (status, out, "")


def test_several_expressions_give_one_object(crawler: Crawler, pages: str) -> None:
    done = crawler("fetch", f"{pages}/page.html", "--css", "h2", "--css", "title::text", "--xpath", "//a/@href")
    found = {"h2": [], "title::text": ["Shop"], "//a/@href": ["/one", "/two"]}
    assert (done.status, json.loads(done.out)) == (0, found)
    assert crawler("fetch", f"{pages}/page.html", "--css", "h2", "--css", "h3").status == 1


@pytest.mark.parametrize(
    ("page", "options", "said"),
    [
        ("none.html", ["--css", "a[["], '--css "a[[": Expected ident'),
        ("none.html", ["--xpath", "//a["], '--xpath "//a[": XPath error'),
        ("none.html", ["--json", "a["], '--json "a[": Invalid jmespath expression'),
        ("none.html", ["--json", "a", "--headers"], "leave one of the two out"),
        ("page.html", ["--json", "a"], "is no JSON"),
        ("page.json", ["--css", "a"], "is json, neither HTML nor XML"),
    ],
)
def test_an_expression_or_page_that_does_not_fit_is_wrong_usage(
    crawler: Crawler, pages: str, page: str, options: list[str], said: str
) -> None:
    done = crawler("fetch", f"{pages}/{page}", *options)
    assert (done.status, said in done.err) == (2, True), done.err


@pytest.mark.parametrize(
    ("options", "status", "out"),
    [
        (["--getbool", "ROBOTSTXT_OBEY"], 0, "true"),
        (["--getint", "DOWNLOAD_TIMEOUT"], 0, "180"),
        (["--getfloat", "RETRY_TIMES"], 0, "2.0"),
        (["--getlist", "MINE", "-s", "MINE=a,b"], 0, '["a","b"]'),
        (["--getdict", "FEEDS", "-o", "x"], 2, ""),
        (["--getdict", "FEEDS"], 0, "{}"),
        (["--getlist", "PROXIES", "-s", "PROXIES=http://me:secret@proxy.example:1/"], 0, "http://me:***@"),
        (["--getint", "USER_AGENT"], 2, "cannot be read by getint"),
        (["--getint", "RETRY_TIME"], 2, 'did you mean "RETRY_TIMES"'),
        (["--getint", "RETRY_TIMES", "--get", "RETRY_TIMES"], 2, "at a time"),
    ],
)
def test_one_setting_is_read_as_the_settings_object_does(
    crawler: Crawler, options: list[str], status: int, out: str
) -> None:
    done = crawler("settings", *options)
    assert (done.status, out in (done.err if status else done.out)) == (status, True), done
    assert "secret" not in done.out + done.err
