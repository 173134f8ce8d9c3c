"""What waits for the next turn, and whose are the answers?

Each call of the engine's becomes one thing that waits. In its turn it enters its part of the call and remembers where,
and when the reply is there it finds its answers at that place. All go in the order in which the calls were made; a turn
carries a bounded number of children, so a large group is told in several turns, each result whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.storage.cluster.reply import Done, Reply
from crawler.storage.cluster.wire import Fact, Finish, Put, Turn

MOST_CHILDREN = 2000
"""Children that one turn carries: the server does nothing else meanwhile, for 0.1 to 0.2 s."""


class Waiting(Protocol):
    """One thing that waits. ``weight``: how many children it has, or rows."""

    weight: int
    answered: Deferred[Any]

    def enter(self, turn: Turn) -> None:
        """Enter it into the turn that is being made."""

    def told(self, reply: Reply) -> None:
        """Take the answer out of the reply."""

    def failed(self, failure: Failure) -> None:
        """There will be none."""


class Asked:
    """A thing that waits for answers to ``rows`` of one section of a turn: what stands at their place in the section of
    that name of the reply, if there is one."""

    def __init__(self, section: str, rows: Sequence[Any], *, weight: int = 1) -> None:
        self.weight = weight
        self.answered: Deferred[Any] = Deferred()
        self._section = section
        self._rows = rows
        self._place = slice(0)

    def enter(self, turn: Turn) -> None:
        """See Waiting."""
        section = getattr(turn, self._section)
        begin = len(section)
        section += self._rows
        self._place = slice(begin, len(section))

    def told(self, reply: Reply) -> None:
        """See Waiting."""
        self.answered.callback(getattr(reply, self._section, ())[self._place])

    def failed(self, failure: Failure) -> None:
        """See Waiting."""
        self.answered.errback(failure)


class Group:
    """A part of a commit: results that go in one turn, with rows in a new form and facts.

    What was postponed and what was learnt goes with the first part: a page that is done has never set a cookie that
    is forgotten.
    """

    def __init__(self, finishes: list[Finish], posts: list[Put], facts: list[Fact]) -> None:
        self.weight = max(sum(len(finish.children) for finish in finishes), 1)
        self.answered: Deferred[list[Done]] = Deferred()
        self._finishes, self._posts, self._facts = finishes, posts, facts
        self._place = slice(0)

    def enter(self, turn: Turn) -> None:
        """See Waiting."""
        begin = len(turn.finishes)
        turn.finishes += self._finishes
        turn.posts += self._posts
        turn.facts += self._facts
        self._place = slice(begin, len(turn.finishes))

    def told(self, reply: Reply) -> None:
        """See Waiting."""
        self.answered.callback(reply.finishes[self._place])

    def failed(self, failure: Failure) -> None:
        """See Waiting."""
        self.answered.errback(failure)


def groups(finishes: Sequence[Finish], posts: list[Put], facts: list[Fact]) -> list[Group]:
    """Split a commit into parts of at most MOST_CHILDREN each, where no result alone has more."""
    split: list[list[Finish]] = [[]]
    children = 0
    for finish in finishes:
        count = len(finish.children)
        if split[-1] and children + count > MOST_CHILDREN:
            split.append([])
            children = 0
        split[-1].append(finish)
        children += count
    first, *rest = split
    return [Group(first, posts, facts), *(Group(part, [], []) for part in rest)]


class Line:
    """Everything that waits, in order."""

    def __init__(self) -> None:
        self._waiting: deque[Waiting] = deque()
        self._carried: list[Waiting] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, waiting: Waiting) -> None:
        """Let it wait for its turn."""
        self._waiting.append(waiting)

    def enter(self, turn: Turn) -> None:
        """Enter what fits into a turn."""
        weight = 0
        while self._waiting and (not self._carried or weight + self._waiting[0].weight <= MOST_CHILDREN):
            waiting = self._waiting.popleft()
            weight += waiting.weight
            waiting.enter(turn)
            self._carried.append(waiting)

    def told(self, reply: Reply) -> None:
        """Hand the answers of that turn out."""
        carried, self._carried = self._carried, []
        for waiting in carried:
            waiting.told(reply)

    def again(self) -> None:
        """What that turn carried was not done: it waits once more, before all others."""
        self._waiting.extendleft(reversed(self._carried))
        self._carried = []

    def fail(self, failure: Failure) -> None:
        """Nothing that waits will be answered."""
        self.again()
        waiting, self._waiting = self._waiting, deque()
        for each in waiting:
            each.failed(failure)
