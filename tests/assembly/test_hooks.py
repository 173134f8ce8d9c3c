"""What does a user hear whose hook, called before a crawl begins, does not take what it is given?"""

from __future__ import annotations

from typing import Any

import pytest

from crawler import Pipeline, Spider, UsageError
from crawler.events import SpiderFailed
from crawler.testing import crawl


class Pages(Spider):
    """Asks for one page."""

    name = "pages"
    start_urls = ["http://a.test/"]

    def parse(self, response: Any) -> Any:
        yield {"url": response.url}


class MadeOfTwo(Pipeline):
    """A stage that nobody can make without a client."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def process_item(self, item: Any) -> Any:
        return item


class NoClassMethod(Pipeline):
    """A stage whose from_crawler lacks its decorator."""

    def from_crawler(self, crawler: Any) -> Any:
        return self

    def process_item(self, item: Any) -> Any:
        return item


class Deaf:
    """An extension that takes no events."""

    def subscribe(self) -> None:
        pass


class RaisesWithin:
    """An extension whose own code raises a TypeError."""

    def subscribe(self, events: Any) -> None:
        len(5)  # type: ignore[arg-type]


def of(**members: Any) -> type[Spider]:
    return type("Made", (Pages,), members)


@pytest.mark.parametrize(
    ("spider", "said"),
    [
        (of(custom_settings={"PIPELINES": [MadeOfTwo]}), "MadeOfTwo.__init__() missing 1 .*; expected def __init__"),
        (of(custom_settings={"PIPELINES": [NoClassMethod]}), "from_crawler() missing 1 .*; expected @classmethod"),
        (
            of(custom_settings={"EXTENSIONS": [Deaf]}),
            "Deaf.subscribe() takes 1 .*; expected def subscribe(self, events)",
        ),
        (of(update_settings=lambda self, settings: None), "missing 1 .*; expected @classmethod def update_settings"),
        (of(from_crawler=lambda self, crawler: None), "missing 1 .*; expected @classmethod def from_crawler"),
        (of(from_crawler=classmethod(lambda cls, crawler: None)), "must return the spider, but returned None"),
        (of(allowed_domains=5), "allowed_domains must be a list of names"),
    ],
)
def test_a_hook_that_takes_something_else_is_told_what_it_is_given(spider: type[Spider], said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("(", r"\(").replace(")", r"\)")):
        crawl(spider, {"http://a.test/": "x"})


def test_a_type_error_within_a_hook_is_the_hooks_own() -> None:
    with pytest.raises(TypeError, match="len"):
        crawl(of(custom_settings={"EXTENSIONS": [RaisesWithin]}), {"http://a.test/": "x"})


def test_start_urls_that_are_no_list_are_named() -> None:
    result = crawl(of(start_urls=None), {})
    (failed,) = result.happened(SpiderFailed)
    assert str(failed.error) == "start_urls must be a list of URLs, got None"
