"""Acting on a crawl at virtual times, for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from crawler.steering.control import Control
from tests.engine.virtual import later

ME = "page"


def steered(*steps: tuple[float, Callable[[Control], Any]]) -> Callable[[Any], None]:
    """Return a ``during`` that does things to the crawl at virtual times."""

    def during(ready: Any) -> None:
        for seconds, step in steps:
            later(ready, seconds, step, ready.crawler.control)

    return during


def answers(said: list[Any]) -> Callable[[Deferred[Any]], Deferred[Any]]:
    """Return what notes the result of a Deferred."""
    return lambda done: done.addBoth(said.append)
