"""Is every complete unit committed, whenever it comes?"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from crawler.engine.committer import Committer
from crawler.engine.unit import Unit
from crawler.frontier.store import Committed


class SlowStore:
    """A durable store that answers when it is told to."""

    durable = True

    def __init__(self) -> None:
        self.asked: list[tuple[int, Deferred[list[Committed]]]] = []

    def commit(self, finished: Any, **_: Any) -> Deferred[list[Committed]]:
        self.asked.append((len(finished), Deferred()))
        return self.asked[-1][1]

    def answer(self) -> None:
        count, deferred = self.asked[-1]
        deferred.callback([Committed([], 1) for _ in range(count)])


def test_a_unit_whose_time_ends_during_another_commit_is_committed_after_it() -> None:
    store: Any = SlowStore()
    clock: Any = Clock()
    done: list[Unit] = []
    committer = Committer(
        store,
        clock,
        seconds=0.05,
        requests=100,
        facts=dict,
        on_committed=lambda unit, _: done.append(unit),
        on_error=lambda error: None,
    )
    first, second = (Unit(None, lambda _: None) for _ in range(2))
    committer.add(first)
    clock.advance(0.05)
    committer.add(second)
    clock.advance(0.05)
    store.answer()
    assert len(store.asked) == 2
    store.answer()
    assert done == [first, second]
    assert committer.idle
