"""Is a downloader of the user's own that never answers cut off in time, and is one that answers left alone?"""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from crawler.config.schema import CoreSettings
from crawler.download.timed import TimedDownloader
from crawler.errors import ConnectionLost, FetchTimeout
from crawler.model.request import Request
from crawler.model.response import Response


class Silent:
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.answer: Deferred[Any] = Deferred()

    def fetch(self, request: Request, exchange: Any = None) -> Deferred[Response]:
        return self.answer

    def close(self) -> Deferred[None]:
        raise NotImplementedError


def outcome(seconds: float, silent: Silent, **request: Any) -> tuple[Clock, list[Any]]:
    clock, found = Clock(), []
    timed = TimedDownloader(silent, CoreSettings(DOWNLOAD_TIMEOUT=5.0), clock)
    timed.fetch(Request("http://a.test/", **request)).addBoth(found.append)
    clock.advance(seconds)
    return clock, found


@pytest.mark.parametrize(("meta", "seconds"), [({}, 5), ({"download_timeout": 2}, 2)])
def test_what_never_answers_is_a_time_out(meta: dict[str, Any], seconds: float) -> None:
    assert outcome(seconds - 0.1, Silent(), meta=meta)[1] == []
    _, (failure,) = outcome(seconds, Silent(), meta=meta)
    assert isinstance(failure.value, FetchTimeout)
    assert failure.value.request.url == "http://a.test/"


def test_without_a_limit_it_may_take_for_ever() -> None:
    assert outcome(1e6, Silent(), meta={"download_timeout": 0})[1] == []


def test_an_answer_in_time_is_left_alone() -> None:
    silent = Silent()
    clock, found = outcome(1, silent)
    silent.answer.callback("answer")
    assert found == ["answer"]
    assert clock.getDelayedCalls() == []


def test_what_the_downloader_makes_of_being_cancelled_is_a_time_out_too() -> None:
    silent = Silent()
    silent.answer = Deferred(lambda deferred: deferred.errback(ConnectionLost("cut off")))
    assert isinstance(outcome(5, silent)[1][0].value, FetchTimeout)
