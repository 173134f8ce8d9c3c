"""How far is the crawl, what is under way in it, and what may be done next?

This page is the plot. ``PHASES`` tells what each phase allows, what it waits for and what may follow it.
Everything that is under way is entered in the one ledger when it begins and struck out when it ends, and the
books say what became of the requests. The questions (may we send, may this be queued, may a callback go on, are
we done) are answered here and nowhere else, from these three alone; the loop acts on the answers.
"""

from __future__ import annotations

from collections.abc import Sized
from enum import Enum
from typing import NamedTuple, Protocol

from crawler.errors import BooksDoNotBalance


class Phase(Enum):
    """How far a crawl is."""

    OPENING = "opening"  # store, feeds and stages are opened; nothing is sent
    RUNNING = "running"
    STOPPING = "stopping"  # nothing new is sent; what is under way ends, and its results are kept
    CLOSING = "closing"  # nothing is under way any more; stages, committer, feeds and store are closed
    CLOSED = "closed"


class Kind:
    """What may be under way. Plain numbers, the places in the ledger: an enum's members cost a page 2 % more."""

    EXCHANGE = 0  # a request that was sent, and whose outcome is not there yet
    PAUSED = 1  # of these: a middleware fetches another request meanwhile, and the slot is free
    JUDGING = 2  # an outcome that is being dealt with right now
    LOOKUP = 3  # the cache is asked for an answer
    UNSOUGHT = 4  # a request that waits for its look-up
    REFUSAL = 5  # a request that is to fail, because its origin is out of reach
    UNIT = 6  # a request's results, until they are committed or given up; what start() has yielded among them
    COMMIT = 7  # a group without units on its way to the store: postponed requests, and facts
    REDIRECT = 8  # the store is asked whether a redirect's target is new
    LEASE = 9  # the store is asked for more requests of a host
    INLINE = 10  # a Deferred that the user's code waits for
    SPOOL = 11  # children of a callback with very many, on their way to the store before its end
    ITEM = 12  # an item in the stages
    FEED = 13  # a feed that is far behind
    BYTES = 14  # of the responses that running callbacks hold
    OTHERS = 15  # other workers, who may still queue something for this one


KINDS = tuple(name.lower() for name in vars(Kind) if name.isupper())
"""The names of the kinds, each at its number."""

KEPT = (Kind.UNIT, Kind.EXCHANGE, Kind.JUDGING, Kind.COMMIT, Kind.LOOKUP, Kind.UNSOUGHT, Kind.REFUSAL, Kind.REDIRECT)
"""What has results that are to be kept, or will have: whatever else is under way holds one of these."""


class Rule(NamedTuple):
    """What a phase allows: ``begins`` (requests are queued and sent), what it ``waits`` for, what may follow it.

    ``takes_all``: requests that are queued are waited for, too. A phase that waits for None is ended by the crawl,
    which has opened or closed everything then.
    """

    begins: bool
    waits: tuple[int, ...] | None
    takes_all: bool
    then: frozenset[Phase]


PHASES = {
    Phase.OPENING: Rule(False, None, False, frozenset({Phase.RUNNING, Phase.CLOSING})),
    Phase.RUNNING: Rule(True, (*KEPT, Kind.LEASE, Kind.OTHERS), True, frozenset({Phase.STOPPING, Phase.CLOSING})),
    Phase.STOPPING: Rule(False, KEPT, False, frozenset({Phase.CLOSING})),
    Phase.CLOSING: Rule(False, None, False, frozenset({Phase.CLOSED})),
    Phase.CLOSED: Rule(False, None, False, frozenset()),
}

MOST_SPOOLING = 2
"""Callbacks wait while so many groups of children are on their way to the store."""


class Looking(Protocol):
    """Who looks what can be done, when something ended or came in: the loop."""

    def changed(self) -> None:
        """Look now."""


class Stopping(Protocol):
    """Who acts on the two ways of ending."""

    def stop(self) -> None:
        """From now on nothing new is sent."""

    def cut_off(self) -> None:
        """What is under way is not waited for any more."""


class Ledger:
    """What is under way, by kind. The one ``listener`` looks again when something ended."""

    def __init__(self) -> None:
        self.counts = [0] * len(KINDS)  # looked at for each result of a callback, and written here alone
        self.listener: Looking | None = None

    def __repr__(self) -> str:
        return f"<Ledger { ({kind: count for kind, count in zip(KINDS, self.counts, strict=True) if count}) }>"

    def begin(self, kind: int, count: int = 1) -> None:
        """Enter something that begins."""
        self.counts[kind] += count

    def end(self, kind: int, count: int = 1) -> None:
        """Strike out something that has ended."""
        self.counts[kind] -= count
        assert self.counts[kind] >= 0, KINDS[kind]

    def go_over(self, kind: int, other: int) -> None:
        """Let something of one kind be of another from now on."""
        self.end(kind)
        self.counts[other] += 1

    def changed(self) -> None:
        """Something ended or came in; whoever struck it out says so when it has done the rest."""
        if self.listener is not None:
            self.listener.changed()


class Books:
    """What became of the accepted requests: accepted = answered + failed + dropped + left.

    ``carried`` are those that have not ended and have no row of their own; ``refused`` were never accepted;
    ``abandoned`` are units that a stop cut off, whose requests are left for a resume.
    """

    def __init__(self) -> None:
        self.accepted = self.carried = self.left = self.refused = self.abandoned = 0
        self.ended = {"answered": 0, "failed": 0, "dropped": 0}

    def __repr__(self) -> str:
        return f"<Books accepted={self.accepted} {self.ended}>"

    def accept(self, count: int = 1, *, carried: bool = False) -> None:
        """Requests were accepted."""
        self.accepted += count
        self.carried += count if carried else 0

    def end(self, outcome: str, *, carried: bool = False) -> None:
        """An accepted request has ended."""
        self.ended[outcome] += 1
        self.carried -= carried

    def leave(self, count: int = 1) -> None:
        """Accepted requests stay undone, for a resume."""
        self.left += count

    def hand_over(self) -> None:
        """A request that was taken out of the store is another worker's now."""
        self.accepted -= 1

    def take_back(self) -> None:
        """A carried request stays undone: its parent will be repeated, and yield it again."""
        self.accepted -= 1
        self.carried -= 1

    def refuse(self) -> None:
        """A request was refused before it was accepted."""
        self.refused += 1

    def abandon(self) -> None:
        """The results of a request stay incomplete."""
        self.abandoned += 1

    @property
    def unfinished(self) -> int:
        """How many accepted requests have not ended; without the carried ones, which their parents repeat."""
        return self.accepted - sum(self.ended.values()) - self.carried

    def check(self, left: int) -> None:
        """Raise BooksDoNotBalance unless the sum is right; ``left`` are still queued."""
        total = sum(self.ended.values()) + left
        if self.accepted != total:
            raise BooksDoNotBalance(
                f"{self.accepted} requests were accepted, but {self.ended['answered']} answered, "
                f"{self.ended['failed']} failed, {self.ended['dropped']} dropped and {left} left make {total}"
            )


class Capacity(NamedTuple):
    """How much may be under way at once: exchanges, bytes of responses in callbacks, items in the stages."""

    exchanges: int
    response_bytes: int
    items: int


class Life:
    """The phases of one crawl, and what may be done in them.

    ``begins``: requests are sent and queued; else what comes is left for a resume. ``cut``: the crawl waits for
    nothing any more. ``others_idle``: of other workers it is known that they have nothing, either.
    """

    def __init__(self, capacity: Capacity) -> None:
        self.ledger = Ledger()
        self.books = Books()
        self.phase = Phase.OPENING
        self.begins = False
        self.cut = False
        self.others_idle = False
        self.listener: Stopping | None = None
        self._capacity = capacity

    def __repr__(self) -> str:
        return f"<Life {self.phase.value} {self.ledger!r} {self.books!r}>"

    def enter(self, phase: Phase) -> bool:
        """Go on to a phase if it may follow the present one; tell whether it did."""
        if phase not in PHASES[self.phase].then:
            return False
        self.phase = phase
        self.begins = PHASES[phase].begins
        return True

    def resize(self, capacity: Capacity) -> None:
        """Let as much be under way at once from now on; what is beyond it ends first."""
        self._capacity = capacity

    def cut_off(self) -> bool:
        """Wait for nothing any more; False if there is nothing to wait for, or that was said before."""
        if self.cut or self.over:
            return False
        self.cut = True
        return True

    @property
    def over(self) -> bool:
        """Whether nothing is waited for any more."""
        return self.phase is Phase.CLOSING or self.phase is Phase.CLOSED

    def free(self) -> int:
        """Return how many requests may be sent now: there are slots, room for responses, and the feeds keep up."""
        counts, capacity = self.ledger.counts, self._capacity
        if (counts[Kind.BYTES] >= capacity.response_bytes or counts[Kind.FEED]) and not self._is_awaited():
            return 0
        return capacity.exchanges - counts[Kind.EXCHANGE] + counts[Kind.PAUSED]

    def may_look_up(self) -> bool:
        """Tell whether the cache may be asked for an answer."""
        counts = self.ledger.counts
        return (counts[Kind.BYTES] < self._capacity.response_bytes and not counts[Kind.FEED]) or self._is_awaited()

    def _is_awaited(self) -> bool:
        # What holds the bytes may wait for an inline fetch: one exchange at a time goes on.
        counts = self.ledger.counts
        on_the_way = counts[Kind.EXCHANGE] - counts[Kind.PAUSED] + counts[Kind.LOOKUP]
        return counts[Kind.INLINE] > 0 and on_the_way == 0

    def may_go_on(self) -> bool:
        """Tell whether a callback may yield another result: the stages have room, feeds and store keep up."""
        counts = self.ledger.counts
        return counts[Kind.ITEM] < self._capacity.items and not counts[Kind.FEED] and counts[Kind.SPOOL] < MOST_SPOOLING

    def is_done(self, queued: Sized) -> bool:
        """Tell whether the present phase has nothing to wait for; what is ``queued`` could still be sent."""
        rule, counts = PHASES[self.phase], self.ledger.counts
        if rule.waits is None:
            return False
        for kind in rule.waits:
            if counts[kind]:
                return False
        return not (rule.takes_all and len(queued))

    def is_idle(self, queued: Sized, starting: bool) -> bool:
        """Tell whether the crawl would be done but for start(), which is one unit while it runs (``starting``)."""
        counts = self.ledger.counts
        if self.phase is not Phase.RUNNING or len(queued) or counts[Kind.UNIT] != starting:
            return False
        waits = PHASES[Phase.RUNNING].waits or ()
        return not any(
            counts[kind] for kind in waits if kind != Kind.UNIT and not (kind == Kind.OTHERS and self.others_idle)
        )
