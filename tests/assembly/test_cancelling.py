"""What becomes of an error after the Deferred of a crawl was cancelled?"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from crawler import Spider, StoreError
from crawler.assembly import prepare, real_world
from crawler.storage.memory import MemoryStore
from tests.download.reactor import reactor, until


class Full(MemoryStore):
    """Cannot be closed, and says so in a later turn of the reactor."""

    def finish(self, *, ended: bool, reason: str) -> Deferred[None]:
        closing: Deferred[None] = Deferred()
        reactor.callLater(0, closing.errback, StoreError("the disk is full"))
        return closing


def test_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Waiting(Spider):
        name = "waiting"

        async def start(self) -> AsyncIterator[Any]:
            await Deferred()
            yield

    done = prepare(Waiting, world=real_world(reactor), store=Full(), feeds=[]).run()
    done.cancel()
    heard: list[object] = []
    done.addErrback(lambda failure: heard.append(failure.value))
    until(lambda: "the disk is full" in caplog.text)
    assert isinstance(heard[0], CancelledError)
    assert "hold watch" not in {thread.name for thread in threading.enumerate()}
