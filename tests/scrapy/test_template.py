"""Do middlewares cost nothing that only pass on what they are given, as those of a new project do?"""

from __future__ import annotations

import logging
from typing import Any

import pytest

from crawler.assembly.making import load_settings, make
from crawler.scrapy import signals
from crawler.scrapy.adapters.chain import Chain
from crawler.scrapy.adapters.idle_code import does_nothing
from tests.scrapy.test_chain import ROOT, Made, run


class AsWritten:
    """The methods that startproject writes, comments aside."""

    @classmethod
    def from_crawler(cls, crawler: Any) -> Any:
        s = cls()
        crawler.signals.connect(s.spider_opened, signal=signals.spider_opened)
        return s

    def process_request(self, request: Any, spider: Any) -> Any:
        # Nothing is to be done
        # with it.
        return None

    def process_response(self, request: Any, response: Any, spider: Any) -> Any:
        return response

    def process_exception(self, request: Any, exception: Any, spider: Any) -> Any:
        pass

    def spider_opened(self, spider: Any) -> None:
        spider.logger.info(f"Spider opened: {spider.name}")


class WithoutSpider(AsWritten):
    """As today's are, with a docstring each."""

    def process_request(self, request: Any) -> Any:  # type: ignore[override]
        """Do nothing."""

    def process_response(self, request: Any, response: Any) -> Any:  # type: ignore[override]
        """Do nothing."""
        return response


class Changed(AsWritten):
    def process_request(self, request: Any, spider: Any) -> Any:
        request.headers["X-Changed"] = "1"
        return None


def in_the_path(*middlewares: type) -> list[Any]:
    given = {"DOWNLOADER_MIDDLEWARES": dict.fromkeys(middlewares, 543)}
    return make(Made, load_settings(Made, given), {}).middlewares()


def test_untouched_ones_are_not_in_the_path_and_still_tell_that_the_spider_is_open(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert in_the_path(AsWritten, WithoutSpider) == []
    with caplog.at_level(logging.INFO):
        assert len(run({ROOT: "x"}, AsWritten).items) == 1
    assert "Spider opened: made" in caplog.text


def test_one_that_was_changed_is_in_the_path_and_what_is_untouched_of_it_is_not_called() -> None:
    (chain,) = in_the_path(Changed, AsWritten)
    assert isinstance(chain, Chain)
    assert run({ROOT: "x"}, Changed).sent[0].request.headers["X-Changed"] == b"1"


def test_scrapys_own_at_other_numbers_are_not_in_the_path() -> None:
    own = "scrapy.downloadermiddlewares"
    given = {f"{own}.httpproxy.HttpProxyMiddleware": 110, f"{own}.retry.RetryMiddleware": 90}
    assert make(Made, load_settings(Made, {"DOWNLOADER_MIDDLEWARES": given}), {}).middlewares() == []


@pytest.mark.parametrize(
    "does",
    [
        lambda self, request: request,
        lambda self, request, response: request,
        lambda self, request, response: response.body,
        lambda self, request: print(),
        lambda self, request: "",
    ],
)
def test_what_does_anything_else_is_told_from_it(does: Any) -> None:
    assert not does_nothing(does)
    assert does_nothing(lambda self, request: None)
    assert not does_nothing(print)
