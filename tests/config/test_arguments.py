"""-a NAME=VALUE is converted and checked by the spider's annotations."""

from __future__ import annotations

import datetime
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest

from crawler.config.arguments import arguments_of, convert_arguments
from crawler.errors import ArgumentError
from crawler.spider import Spider


class Size(Enum):
    SMALL = 1
    LARGE = 2


class Typed(Spider):
    name = "typed"
    url: str
    pages: int = 0
    rate: float = 1.0
    deep: bool = False
    tags: list[str] = []
    kind: Literal["new", "old"] = "new"
    since: datetime.date | None = None
    folder: Path = Path()
    size: Size = Size.SMALL
    plain = "x"
    shared: ClassVar[int] = 1
    OWN_SETTING: int = 1
    _hidden: int = 1


class OfScrapy(Spider):
    name = "old"
    pages: int = 0

    def __init__(self, category=None, limit: int = 5, *args, **kwargs):  # type: ignore[no-untyped-def]
        super().__init__(*args, **kwargs)
        self.category = category


class Closed(Spider):
    name = "closed"

    def __init__(self, category: str) -> None:
        super().__init__()


def error_of(spider: type, **given: Any) -> str:
    with pytest.raises(ArgumentError) as caught:
        convert_arguments(spider, given)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_annotated_attributes_are_the_arguments() -> None:
    assert list(arguments_of(Typed)) == ["url", "pages", "rate", "deep", "tags", "kind", "since", "folder", "size"]
    assert arguments_of(Spider) == {}


def test_texts_are_converted() -> None:
    given = {
        "url": "http://x/", "pages": "3", "rate": "0.5", "deep": "yes", "tags": "a,b",
        "kind": "old", "since": "2026-01-31", "folder": "out", "size": "LARGE",
    }  # fmt: skip
    assert convert_arguments(Typed, given) == {
        "url": "http://x/", "pages": 3, "rate": 0.5, "deep": True, "tags": ["a", "b"], "kind": "old",
        "since": datetime.date(2026, 1, 31), "folder": Path("out"), "size": Size.LARGE,
    }  # fmt: skip


def test_values_from_a_script_are_checked() -> None:
    assert convert_arguments(Typed, {"url": "x", "pages": 3})["pages"] == 3
    assert "argument pages of spider typed: expected a whole number, got 3.5" in error_of(Typed, url="x", pages=3.5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "spider typed needs the argument url (text): -a url=…"),
        ({"url": "x", "pags": "3"}, 'spider typed has no argument pags; did you mean "pages"?'),
        ({"url": "x", "pages": "three"}, 'argument pages of spider typed: expected a whole number, got "three"'),
        ({"url": "x", "kind": "od"}, 'did you mean "old"?'),
        ({"url": "x", "plain": "y"}, "annotate the attribute to make it one: plain: str = 'x'"),
        ({"url": "x", "start_urls": "y"}, "has no argument start_urls"),
        ({"url": "x", "OWN_SETTING": "2"}, "has no argument OWN_SETTING"),
        ({"url": "x", "rate": "inf"}, "expected a number"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(given: dict[str, Any], message: str) -> None:
    assert message in error_of(Typed, **given)


def test_a_spider_that_takes_everything_gets_texts() -> None:
    given = {"category": "5", "limit": "7", "anything": "1", "pages": "3"}
    assert convert_arguments(OfScrapy, given) == {"category": "5", "limit": 7, "anything": "1", "pages": 3}


def test_an_init_that_takes_only_its_own() -> None:
    assert convert_arguments(Closed, {"category": "x"}) == {"category": "x"}
    assert "needs the argument category" in error_of(Closed)
    assert 'has no argument categry; did you mean "category"?' in error_of(Closed, category="x", categry="y")


def test_a_spider_that_annotates_a_base_attribute_makes_it_an_argument() -> None:
    class Open(Spider):
        name = "open"
        start_urls: list[str] = []

    assert convert_arguments(Open, {"start_urls": "http://a/,http://b/"}) == {"start_urls": ["http://a/", "http://b/"]}
