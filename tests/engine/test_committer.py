"""Is every complete unit committed, whenever it comes?"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from crawler.config.schema import CoreSettings
from crawler.engine.ending import Ending
from crawler.engine.keeping.committer import Committer, Keeper, Uncommitted
from crawler.engine.keeping.facts import Facts
from crawler.engine.keeping.unit import Unit
from crawler.engine.life import Capacity, Kind, Ledger, Life
from crawler.events import Events
from crawler.frontier.store import START, Committed, Postponed
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


class Listener:
    """Notes what is committed, and whether anything is under way when the ledger tells of a change."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.ledger.listener = self
        self.done: list[Unit] = []
        self.idle: list[bool] = []

    def committed(self, unit: Unit, answer: Committed) -> None:
        self.done.append(unit)

    def failed(self, error: BaseException) -> None:
        raise error

    def changed(self) -> None:
        self.idle.append(not self.ledger.counts[Kind.COMMIT])


def committer_of(store: Any, clock: Any, listener: Listener) -> Committer:
    facts = Facts([], [], Ending(Life(Capacity(1, 1, 1)), Events()))
    core = CoreSettings(JOB_COMMIT_SECONDS=0.05, JOB_COMMIT_REQUESTS=100)
    return Committer(store, clock, core, facts=facts, listener=listener, ledger=listener.ledger)


def test_the_end_of_a_commit_is_told_though_only_postponed_requests_were_in_it() -> None:
    store: Any = SlowStore()
    listener = Listener()
    committer = committer_of(store, Clock(), listener)
    committer.postpone(
        Postponed(token=1, request=Request("http://a.test/"), host="a.test", origin="http://a.test", not_before=0.0)
    )
    committer.flush()
    assert listener.ledger.counts[Kind.COMMIT]
    store.answer()
    assert listener.idle == [True]


def test_facts_that_must_be_kept_go_by_themselves_and_the_store_has_them_when_it_is_told() -> None:
    store: Any = SlowStore()
    clock: Any = Clock()
    committer = committer_of(store, clock, Listener())
    first = committer.keep()
    clock.advance(0.05)
    second = committer.keep()  # is not in the commit that is under way
    assert not first.called
    store.answer()
    assert first.called
    assert not second.called
    clock.advance(0.05)
    store.answer()
    assert second.called

    store.durable = False
    assert committer.keep().called


def test_a_unit_whose_time_ends_during_another_commit_is_committed_after_it() -> None:
    store: Any = SlowStore()
    clock: Any = Clock()
    listener = Listener()
    committer = committer_of(store, clock, listener)
    keeper = Keeper(committer, Uncommitted({}), Life(Capacity(1, 1, 1)), durable=True)
    first, second = (Unit(START, keeper=keeper) for _ in range(2))
    committer.add(first)
    clock.advance(0.05)
    committer.add(second)
    clock.advance(0.05)
    store.answer()
    assert len(store.asked) == 2
    store.answer()
    assert listener.done == [first, second]
    assert not listener.ledger.counts[Kind.COMMIT]


def test_commits_are_counted_with_the_time_for_which_they_were_waited_for() -> None:
    store: Any = SlowStore()
    clock: Any = Clock()
    committer = committer_of(store, clock, Listener())
    for seconds in (0.25, 0.5):
        committer.soon()
        committer.flush()
        clock.advance(seconds)
        store.answer()
    assert (committer.commits, committer.waited) == (2, 0.75)
