"""How many threads does the reactor's own pool have?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from threading import Barrier
from typing import Any

import pytest
from twisted.internet.defer import gatherResults
from twisted.internet.threads import deferToThreadPool

from crawler import Spider, UsageError, crawl
from tests.download.reactor import reactor, run

BEFORE = 10


class Meets(Spider):
    """Calls a function in so many threads, which goes on once all are in it."""

    name = "meets"
    threads: int

    async def start(self) -> AsyncIterator[Any]:
        barrier = Barrier(self.threads)
        pool = reactor.getThreadPool()
        met = [deferToThreadPool(reactor, pool, barrier.wait, 2) for _ in range(self.threads)]
        yield {"met": len(await gatherResults(met))}


@pytest.mark.process
def test_so_many_as_the_setting_says_run_at_once() -> None:
    try:
        summary = run(crawl(Meets, {"REACTOR_THREADPOOL_MAXSIZE": 14}, reactor=reactor, arguments={"threads": 14}))
        assert (summary.items, reactor.getThreadPool().max) == (1, 14)
        run(crawl(Meets, {}, reactor=reactor, arguments={"threads": 2}))
        assert reactor.getThreadPool().max == 14  # a crawl that says nothing changes nothing
    finally:
        reactor.suggestThreadPoolSize(0)  # ends them: nobody stops this reactor, and the process would wait for them
        reactor.suggestThreadPoolSize(BEFORE)


def test_none_are_too_few() -> None:
    with pytest.raises(UsageError, match=r"REACTOR_THREADPOOL_MAXSIZE .* from 1 to 10000"):
        run(crawl(Meets, {"REACTOR_THREADPOOL_MAXSIZE": 0}, reactor=reactor, arguments={"threads": 1}))
