"""The life of a crawl as a table: what each phase allows, what it waits for, and whether the books balance."""

from __future__ import annotations

import random
from itertools import product

import pytest

from crawler.engine.life import KEPT, KINDS, PHASES, Books, Capacity, Kind, Life, Phase
from crawler.errors import BooksDoNotBalance

WAYS = {
    Phase.OPENING: (),
    Phase.RUNNING: (Phase.RUNNING,),
    Phase.STOPPING: (Phase.RUNNING, Phase.STOPPING),
    Phase.CLOSING: (Phase.RUNNING, Phase.CLOSING),
    Phase.CLOSED: (Phase.RUNNING, Phase.CLOSING, Phase.CLOSED),
}
FOLLOWS = {
    (Phase.OPENING, Phase.RUNNING),
    (Phase.OPENING, Phase.CLOSING),  # a store, feed or stage could not be opened
    (Phase.RUNNING, Phase.STOPPING),
    (Phase.RUNNING, Phase.CLOSING),
    (Phase.STOPPING, Phase.CLOSING),
    (Phase.CLOSING, Phase.CLOSED),
}


def in_phase(phase: Phase) -> Life:
    life = Life(Capacity(exchanges=4, response_bytes=100, items=3))
    assert all(life.enter(step) for step in WAYS[phase])
    return life


@pytest.mark.parametrize(("phase", "following"), [*product(Phase, Phase)])
def test_a_phase_is_followed_by_those_of_the_table_alone(phase: Phase, following: Phase) -> None:
    life = in_phase(phase)
    allowed = (phase, following) in FOLLOWS
    assert life.enter(following) is allowed
    assert life.phase is (following if allowed else phase)


@pytest.mark.parametrize("phase", list(Phase))
def test_requests_are_queued_and_sent_in_the_running_phase_alone(phase: Phase) -> None:
    assert in_phase(phase).begins is (phase is Phase.RUNNING)
    assert in_phase(phase).over is (phase in (Phase.CLOSING, Phase.CLOSED))


@pytest.mark.parametrize(("phase", "kind"), [*product((Phase.RUNNING, Phase.STOPPING), range(len(KINDS)))])
def test_what_a_phase_waits_for(phase: Phase, kind: int) -> None:
    life = in_phase(phase)
    life.ledger.begin(kind)
    waited_for = kind in KEPT or (kind in (Kind.LEASE, Kind.OTHERS) and phase is Phase.RUNNING)
    assert life.is_done([]) is not waited_for
    life.ledger.end(kind)
    assert life.is_done([])


def test_queued_requests_are_waited_for_until_a_stop() -> None:
    assert not in_phase(Phase.RUNNING).is_done(["a request"])
    assert in_phase(Phase.STOPPING).is_done(["a request"])


@pytest.mark.parametrize("phase", [Phase.OPENING, Phase.CLOSING, Phase.CLOSED])
def test_opening_and_closing_are_not_ended_by_the_ledger(phase: Phase) -> None:
    assert not in_phase(phase).is_done([])


@pytest.mark.parametrize("phase", list(Phase))
def test_nothing_is_cut_off_that_is_over_and_nothing_twice(phase: Phase) -> None:
    life = in_phase(phase)
    assert life.cut_off() is (phase not in (Phase.CLOSING, Phase.CLOSED))
    assert not life.cut_off()


@pytest.mark.parametrize(
    ("under_way", "free"),
    [
        ({}, 4),
        ({Kind.EXCHANGE: 3}, 1),
        ({Kind.EXCHANGE: 4}, 0),
        ({Kind.EXCHANGE: 4, Kind.PAUSED: 1}, 1),
        ({Kind.BYTES: 99}, 4),
        ({Kind.BYTES: 100}, 0),
        ({Kind.BYTES: 100, Kind.INLINE: 1}, 4),  # what holds the bytes may wait for it
        ({Kind.BYTES: 100, Kind.INLINE: 1, Kind.EXCHANGE: 1}, 0),
        ({Kind.BYTES: 100, Kind.INLINE: 1, Kind.LOOKUP: 1}, 0),
        ({Kind.BYTES: 100, Kind.INLINE: 2, Kind.EXCHANGE: 1, Kind.PAUSED: 1}, 4),
        ({Kind.FEED: 1}, 0),  # what came would wait in memory
        ({Kind.FEED: 1, Kind.INLINE: 1}, 4),
    ],
)
def test_how_many_may_be_sent(under_way: dict[int, int], free: int) -> None:
    life = in_phase(Phase.RUNNING)
    for kind, count in under_way.items():
        life.ledger.begin(kind, count)
    assert life.free() == free
    assert life.may_look_up() is (free > 0 or under_way.get(Kind.EXCHANGE, 0) == 4)


@pytest.mark.parametrize(
    ("under_way", "goes_on"),
    [
        ({}, True),
        ({Kind.ITEM: 2, Kind.SPOOL: 1}, True),
        ({Kind.ITEM: 3}, False),
        ({Kind.SPOOL: 2}, False),
        ({Kind.FEED: 1}, False),
    ],
)
def test_whether_a_callback_may_go_on(under_way: dict[int, int], goes_on: bool) -> None:
    life = in_phase(Phase.STOPPING)
    for kind, count in under_way.items():
        life.ledger.begin(kind, count)
    assert life.may_go_on() is goes_on


@pytest.mark.parametrize("seed", range(50))
def test_a_phase_is_done_when_all_that_began_has_ended_in_whatever_order(seed: int) -> None:
    chance = random.Random(seed)
    life = in_phase(chance.choice([Phase.RUNNING, Phase.STOPPING]))
    waits = PHASES[life.phase].waits or ()
    open_now: list[int] = []
    for step in range(200):
        if open_now and chance.random() < step / 200:
            life.ledger.end(open_now.pop(chance.randrange(len(open_now))))
        else:
            kind = chance.randrange(len(KINDS))
            life.ledger.begin(kind)
            open_now.append(kind)
        assert life.is_done([]) is not any(kind in waits for kind in open_now)
    while open_now:
        life.ledger.end(open_now.pop())
    assert life.is_done([])


@pytest.mark.parametrize("seed", range(50))
def test_the_books_balance_as_long_as_every_accepted_request_ends_once(seed: int) -> None:
    chance = random.Random(seed)
    books, waiting = Books(), []
    for _ in range(100):
        carried = chance.random() < 0.3
        books.accept(carried=carried)
        waiting.append(carried)
        if chance.random() < 0.7:
            books.end(chance.choice(["answered", "failed", "dropped"]), carried=waiting.pop())
    assert books.unfinished == waiting.count(False)
    for carried in waiting:
        if carried:
            books.take_back()
        else:
            books.leave()
    books.check(books.left)
    with pytest.raises(BooksDoNotBalance, match="were accepted, but"):
        books.check(books.left + 1)
