"""Does the end of a pool leave the reactor free?"""

from __future__ import annotations

import threading
from typing import Any

from crawler.threads import ReactorPool
from tests.download.reactor import reactor, run


def test_the_reactor_goes_on_while_a_pool_waits_for_what_runs_in_it() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def blocking() -> str:
        begun.set()
        assert go_on.wait(30)
        return "done"

    pool = ReactorPool(reactor, "test", 1)
    results: list[Any] = []
    pool.run(blocking).addCallback(results.append)
    assert begun.wait(30)
    ended = pool.stop()
    reactor.callLater(0, go_on.set)  # joined in the reactor's thread, this would never be called
    run(ended)
    assert results in ([], ["done"])  # its answer may be a turn behind


def test_a_pool_may_be_ended_twice() -> None:
    pool = ReactorPool(reactor, "test", 1)
    run(pool.run(lambda: None))
    run(pool.stop())
    run(pool.stop())
