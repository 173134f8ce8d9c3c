"""Which accepted requests need no network, because their answer is kept?

A request is looked up in the cache before it joins its host's queue: a fresh answer waits for no delay,
no robots.txt and no place at the host. A few look-ups are under way at a time, and none while the
callbacks have enough to do.
"""

from __future__ import annotations

from twisted.python.failure import Failure

from crawler.engine.deciding.judging import Judging
from crawler.engine.life import Kind, Life
from crawler.engine.parts import Edge
from crawler.engine.sending.flight import Reports
from crawler.engine.waiting.queue import RequestQueue
from crawler.frontier.frontier import Frontier
from crawler.frontier.host import Entry
from crawler.model.response import Response

AT_ONCE = 16


class KeptAnswers:
    """Looks up what waits for it in the queue; what is not found joins its host's queue."""

    def __init__(
        self, edge: Edge, queue: RequestQueue, frontier: Frontier, judging: Judging, reports: Reports, life: Life
    ) -> None:
        self._edge = edge
        self._queue = queue
        self._frontier = frontier
        self._judging = judging
        self._reports = reports
        self._life = life

    def begin(self) -> None:
        """Begin look-ups while there is room."""
        queue, ledger = self._queue, self._life.ledger
        while queue.unsought and ledger.counts[Kind.LOOKUP] < AT_ONCE and self._life.may_look_up():
            assert self._edge.lookup is not None
            entry = queue.next_unsought()
            ledger.begin(Kind.LOOKUP)
            self._edge.lookup(entry.request).addBoth(self._found, entry)

    def _found(self, result: Response | Failure | None, entry: Entry) -> None:
        try:
            if not isinstance(result, Response):
                self._frontier.done(entry)
                self._queue.add(entry)  # also if the cache is damaged: a miss
            elif not self._life.cut:  # and held until its end is committed: its row is still in the store
                self._judging.judge(entry, self._reports.outcome(result, entry.request))
        finally:
            self._life.ledger.end(Kind.LOOKUP)
            self._life.ledger.changed()
