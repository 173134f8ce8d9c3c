"""Which accepted requests need no network, because their answer is kept?

A request is looked up in the cache before it joins its host's queue: a fresh answer waits for no delay,
no robots.txt and no place at the host. A few look-ups are under way at a time, and none while the
callbacks have enough to do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.frontier.entry import Entry
from crawler.frontier.frontier import Frontier
from crawler.model.request import Request
from crawler.model.response import Response

AT_ONCE = 16
WAITING = 10_000
"""With more than so many waiting for their look-up, the next ones join their queues at once; the cache is
then asked when they are sent."""

Lookup = Callable[[Request], "Deferred[Response | None]"]


class LocalAnswers:
    """Looks entries up; ``answered(entry, response)`` takes fresh answers, ``queue(entry)`` all others."""

    def __init__(
        self,
        lookup: Lookup | None,
        frontier: Frontier,
        *,
        answered: Callable[[Entry, Response], None],
        queue: Callable[[Entry], None],
        changed: Callable[[], None],
    ) -> None:
        self._lookup = lookup
        self._frontier = frontier
        self._answered = answered
        self._queue = queue
        self._changed = changed
        self._waiting: deque[Entry] = deque()
        self.under_way = 0

    def __len__(self) -> int:
        return len(self._waiting) + self.under_way

    def admit(self, entry: Entry) -> None:
        """Take an accepted entry."""
        if self._lookup is None or len(self._waiting) >= WAITING:
            self._queue(entry)
        else:
            self._frontier.claim(entry)
            self._waiting.append(entry)

    def pump(self, room: Callable[[], bool]) -> None:
        """Begin look-ups while there is room."""
        while self._waiting and self.under_way < AT_ONCE and room():
            assert self._lookup is not None
            entry = self._waiting.popleft()
            self.under_way += 1
            self._lookup(entry.request).addBoth(self._found, entry)

    def drain(self) -> list[Entry]:
        """Remove and return the entries that wait."""
        entries = list(self._waiting)
        self._waiting.clear()
        return entries

    def _found(self, result: Response | Failure | None, entry: Entry) -> None:
        try:
            if isinstance(result, Response):
                self._answered(entry, result)  # and held until its end is committed: its row is still in the store
            else:
                self._frontier.done(entry)
                self._queue(entry)  # also if the cache is damaged: a miss
        finally:
            self.under_way -= 1
            self._changed()
