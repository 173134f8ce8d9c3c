"""Does crawl() in a script of the user's end as it should?"""

from __future__ import annotations

from typing import Any

import pytest

from crawler import Spider, crawl
from crawler.errors import SettingError
from tests.download.reactor import reactor, run


class Few(Spider):
    name = "few"
    start_urls = ["data:text/html,<p>x</p>"]

    def parse(self, response: Any) -> Any:
        yield {"a": 1}


def test_it_is_never_over_before_it_returns() -> None:
    done = crawl(Few, {"JOB_STORE": "memory"}, reactor=reactor)
    assert not done.called
    assert run(done).items == 1


def test_what_is_wrong_is_told_in_the_next_turn_too() -> None:
    done = crawl(Few, {"DOWNLOAD_DELY": 1}, reactor=reactor)
    assert not done.called
    with pytest.raises(SettingError, match="DOWNLOAD_DELY"):
        run(done)


def test_it_may_be_cancelled_before_it_has_begun() -> None:
    done = crawl(Few, {"JOB_STORE": "memory"}, reactor=reactor)
    failures: list[Any] = []
    done.addErrback(failures.append)
    done.cancel()
    assert len(failures) == 1
