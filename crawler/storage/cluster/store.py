"""How does one of many workers keep its requests on a server that all of them share?

Rows are taken out of the server's queues: they lie here (see rows.py) until they are committed, returned or gone to
another worker's host. So a row can be returned as it was taken, and a retry needs to tell only what it changes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, FirstError, fail, gatherResults, succeed
from twisted.python.failure import Failure

from crawler.errors import LostWorkers, StoreError
from crawler.frontier.host import Entry
from crawler.frontier.store import (
    ELSEWHERE,
    START,
    Committed,
    Finished,
    Listener,
    Offer,
    Postponed,
    Redirected,
    Report,
    Resumed,
)
from crawler.storage.cluster import rows, wire
from crawler.storage.cluster.blame import Blame
from crawler.storage.cluster.calls import Calls, Joined, stage_of
from crawler.storage.cluster.dealing import Dealings
from crawler.storage.cluster.hostfacts import HostFacts
from crawler.storage.cluster.reply import Done, Taken
from crawler.storage.cluster.rows import PRIORITY_LIMIT, Row
from crawler.storage.cluster.waiting import Asked, groups
from crawler.storage.codec import CannotStore, Codec
from crawler.storage.group import Rows, children_staged, signed

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase

logger = logging.getLogger(__name__)

DEADLY = 5
"""A request during whose callback so many workers have died is not given to another one."""

Memory = dict[tuple[str, str], dict[bytes, bytes]]
"""The stored forms of stage memory, by stage and name."""


class ClusterStore:
    """A Store for one worker of a job on a server.

    ``calls`` makes the calls, ``codec`` turns requests and items into bytes and back; ``window`` is how many requests
    of a host the frontier shall hold, ``lease`` is in seconds. ``blame`` keeps whose callback runs.
    ``newest``: the newest of a host goes first.
    """

    durable = True
    takes = True

    def __init__(
        self,
        calls: Calls,
        *,
        reactor: ReactorBase,
        codec: Codec,
        lease: float = 15.0,
        window: int | None = 64,
        blame: Blame | None = None,
        newest: bool = False,
    ) -> None:
        self.window: int | None = window or 64
        self._calls = calls
        self._newest = newest
        self._codec = codec
        self._rows = Rows(codec, limit=PRIORITY_LIMIT)
        self.can_store = self._rows.can_store
        self.keep_item = self._rows.keep_item
        self.check_value = codec.encode
        self._blame = blame
        self._taken: dict[int, Row] = {}
        self._facts = HostFacts()
        self._dealings = Dealings(calls, self, reactor=reactor, lease=lease)
        self.may_send = self._dealings.may_send
        self.look = self._dealings.look
        self.stop = self._dealings.stop

    def __repr__(self) -> str:
        return f"<ClusterStore {self._calls!r} taken={len(self._taken)}>"

    # From its beginning to its end

    def listen(self, listener: Listener) -> None:
        """Tell this one what happens to what this worker holds. Called before ``open``."""
        self._dealings.listener = listener

    def open(self) -> Deferred[Resumed]:
        """Join the job; raises UsageError and StoreError."""
        return self._dealings.join(self._join).addCallback(self._joined)

    def _join(self) -> tuple[Joined, Memory]:
        joined = self._calls.join()
        return joined, {stage_of(stage): self._calls.memory(stage) for stage in joined.stages}

    def _joined(self, found: tuple[Joined, Memory]) -> Resumed:
        joined, memory = found
        decode = self._codec.decode
        self._dealings.begin()
        return Resumed(
            facts=self.read(joined.facts),
            memory={
                place: {decode(key): decode(value) for key, value in values.items()} for place, values in memory.items()
            },
        )

    def feeds(self, names: Sequence[str]) -> Deferred[None]:
        """Name none: the feeds are those of the process that started the crawl."""
        return succeed(None)

    def unfed_items(self, after: int, count: int) -> Deferred[list[tuple[int, Any]]]:
        """Return nothing: a worker has no feeds."""
        return succeed([])

    def fed(self, feed: str, mark: Mapping[str, Any], *, on_disk: bool = False) -> Deferred[None]:
        """Keep nothing: a worker has no feeds."""
        return succeed(None)

    def finish(self, *, ended: bool, reason: str) -> Deferred[None]:
        """Leave the job: what this worker still has goes back. A server that is away is waited for as long as a lease
        lasts: then it is over anyway."""
        return self._dealings.leave() if self._dealings.open else succeed(None)

    # What the engine asks

    def running(self, token: int) -> None:
        """A callback of this request begins."""
        if self._blame is not None:
            self._blame.running(token)

    def tell_lost(self, lost: Callable[[str, BaseException], None]) -> None:
        """Call ``lost(what, error)`` for each value of the user's that a commit must leave out (else it is logged)."""
        self._rows.lost = lost

    def claim(self, token: int, fingerprints: Sequence[int]) -> Deferred[list[bool]]:
        """Claim fingerprints for the unit of this token."""
        claims = [wire.Claim(token, signed(fingerprint)) for fingerprint in fingerprints]
        return self._ask("claims", claims).addCallback(lambda marks: [mark == "1" for mark in marks])

    def lease(self, host: str, count: int, after: tuple[int, int] | None) -> Deferred[list[tuple[Entry, float]]]:
        """Take the host's next requests; fewer than ``count`` means that there are no more."""
        return self._ask("takes", [(host, count)]).addCallback(lambda taken: self._entries(host, taken[0]))

    def stage(self, token: int, children: Sequence[Offer]) -> Deferred[None]:
        """Keep children of an unfinished request on the server until its commit."""
        try:
            staged = children_staged(self._rows.staged(children))
        except CannotStore as error:
            return fail(StoreError(f"a result cannot be stored: {error}"))
        stages = [wire.Stage(token, [rows.new(child, token, newest=self._newest) for child in staged])]
        return self._ask("stages", stages, weight=len(staged)).addCallback(lambda _: None)

    def redirect(self, postponed: Postponed, fingerprint: int) -> Deferred[Redirected]:
        """Register the target and postpone, if it is new; it may be another worker's from then on."""
        row = self._taken.get(postponed.token)
        if row is None:
            return fail(StoreError(f"request {postponed.token} is not this worker's"))
        try:
            changed = rows.moved(row, self._rows.moved(postponed, redirected=True))
        except CannotStore as error:
            return fail(StoreError(f"a redirected request cannot be stored: {error}"))
        move = wire.Move(*rows.put(changed, self._wait(postponed.not_before)), signed(fingerprint))

        def moved(answer: list[Redirected]) -> Redirected:
            [became] = answer
            if became == "here":
                self._taken[row.token] = changed
            elif became == "elsewhere":
                del self._taken[row.token]
            return became

        return self._ask("moves", [move]).addCallback(moved)

    def commit(
        self,
        finished: Sequence[Finished],
        *,
        postponed: Sequence[Postponed] = (),
        facts: dict[str, Any] | None = None,
    ) -> Deferred[list[Committed]]:
        """Write all of it, each result whole; raises StoreError.

        What was postponed and has gone back meanwhile is left out: it went in its new form.
        """
        ended = [result.token for result in finished if result.token != START]
        unknown = sorted({*ended} - self._taken.keys())
        if unknown or len({*ended}) < len(ended):
            return fail(StoreError(f"requests {unknown or ended} are not this worker's, or finished twice"))
        try:
            group = self._rows.group(finished, postponed, facts or {})
        except CannotStore as error:
            return fail(StoreError(f"a result cannot be stored: {error}"))
        posts = []
        for form in group.moved:
            if (row := self._taken.get(form.token)) is not None:
                self._taken[form.token] = changed = rows.moved(row, form)
                posts.append(rows.put(changed, self._wait(form.not_before)))
        finishes = [
            rows.finish(result, self._taken.pop(result.token, None), newest=self._newest) for result in group.results
        ]
        kept = self._facts.told(group.facts)
        answers = self._dealings.ask(*groups(finishes, posts, kept))
        return gatherResults(answers, consumeErrors=True).addCallbacks(_committed, _first)

    def _ask(self, section: str, rows: Sequence[Any], *, weight: int = 1) -> Deferred[Any]:
        [answer] = self._dealings.ask(Asked(section, rows, weight=weight))
        return answer

    def _wait(self, not_before: float) -> float:
        return not_before - time.time()

    def _entries(self, host: str, taken: Sequence[Taken]) -> list[tuple[Entry, float]]:
        """Make requests of rows that were taken. One that was the end of too many workers ends here, by name: with its
        errback, unless that has been the end of one more."""
        entries = []
        for each in taken:
            row = rows.taken(host, each)
            self._taken[row.token] = row
            self._facts.note(row)
            if row.deaths < DEADLY:
                entries.append((rows.entry_of(row, self._codec), 0.0))
                continue
            said = f"its callback was running when {row.deaths} workers died"
            if row.deaths == DEADLY:
                self._dealings.listener.doomed(rows.entry_of(row, self._codec), LostWorkers(said))
            else:
                logger.error("%s failed: %s", row.payload.url, said)
                self.commit([Finished(row.token, outcome="failed", reason=LostWorkers.__name__)])
        return entries

    # What the dealings ask

    def returned(self, report: Report, turn: wire.Turn) -> None:
        """See dealing.Rows."""
        for entry, wait in report.returned:
            if (row := self._taken.pop(entry.token, None)) is not None:
                turn.returns.append(rows.put(row, wait))
        if report.facts:
            turn.facts += self._facts.told(self._rows.group((), (), report.facts).facts)

    def read(self, facts: Sequence[tuple[str, bytes | None]]) -> dict[str, Any]:
        """See dealing.Rows."""
        return {name: None if value is None else self._codec.decode(value) for name, value in facts}


def _committed(parts: list[list[Done]]) -> list[Committed]:
    return [
        Committed([ELSEWHERE if new else None for new in done.new()], done.first_item, dropped=done.dropped)
        for part in parts
        for done in part
    ]


def _first(failure: Failure) -> Failure:
    """Return what went wrong with the first part of a commit that failed."""
    inner: Failure = failure.value.subFailure if isinstance(failure.value, FirstError) else failure
    return inner
