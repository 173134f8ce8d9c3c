"""Is every complete unit committed, whenever it comes?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from crawler.engine.keeping.committer import Committer
from crawler.engine.keeping.unit import Unit
from crawler.frontier.store import Committed, Postponed
from crawler.model.request import Request


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


def committer_of(store: Any, clock: Any, done: list[Unit], changed: Callable[[], None] = lambda: None) -> Committer:
    return Committer(
        store,
        clock,
        seconds=0.05,
        requests=100,
        facts=dict,
        loose=[],
        on_committed=lambda unit, _: done.append(unit),
        changed=changed,
        on_error=lambda error: None,
    )


def test_the_end_of_a_commit_is_told_though_only_postponed_requests_were_in_it() -> None:
    store: Any = SlowStore()
    idle: list[bool] = []
    committer = committer_of(store, Clock(), [], lambda: idle.append(committer.idle))
    committer.postpone(
        Postponed(token=1, request=Request("http://a.test/"), host="a.test", origin="http://a.test", not_before=0.0)
    )
    committer.flush()
    assert not committer.idle
    store.answer()
    assert idle == [True]


def test_a_unit_whose_time_ends_during_another_commit_is_committed_after_it() -> None:
    store: Any = SlowStore()
    clock: Any = Clock()
    done: list[Unit] = []
    committer = committer_of(store, clock, done)
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
