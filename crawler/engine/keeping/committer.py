"""When do the results of finished requests go to the store?

In groups: one commit is under way at a time, and what finishes meanwhile gathers for the next. A
group waits at most ``seconds`` and holds at most ``requests``; when the crawl has nothing else to do
it does not wait at all, since children are visible only after their commit.

A unit is opened by the Keeper and ends there, in one way: what is complete goes to the committer, what a stop cut
off stays for a resume.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.failure import Failure

from crawler.config.schema import CoreSettings
from crawler.engine.clock import Clock, Timer
from crawler.engine.frames import error_of
from crawler.engine.keeping.facts import Facts
from crawler.engine.keeping.unit import Unit
from crawler.engine.life import Kind, Ledger, Life
from crawler.frontier.host import Entry
from crawler.frontier.store import START, Committed, Finished, MemoryChange, Offer, Postponed, Store


class CommitListener(Protocol):
    """Who takes the store's answers."""

    def committed(self, unit: Unit, answer: Committed) -> None:
        """A unit's commit is done. Called for each, in the order in which they were complete."""

    def failed(self, error: BaseException) -> None:
        """The store has failed: nothing is committed any more."""


class Committer:
    """Groups units and commits them.

    Goals: a kill costs at most ``seconds`` of work; the store is asked as seldom as that allows; and what somebody
    waits for (children, when nothing else can be sent; the last results, when the crawl ends) never waits for a timer.

    Plan: units, postponed requests and changed facts gather until ``requests`` units are there, the timer has run
    out, or ``flush`` is called. One group is under way at a time, so that groups arrive in order; a timer that runs
    out meanwhile leaves no other behind, and that is how the answer finds that the next group is overdue. Facts are
    collected when the group leaves, and so never are newer than what it holds. A unit is struck out of the ledger
    behind its answer only, so that the crawl cannot end before; a group without units is entered by itself.

    Known limits: a commit that fails ends committing for good, since the groups behind it might need its rows. What
    changes between the last group and ``close`` is kept with a last one; what comes after ``close`` is not.
    """

    def __init__(
        self, store: Store, clock: Clock, core: CoreSettings, *, facts: Facts, listener: CommitListener, ledger: Ledger
    ) -> None:
        self._store = store
        self._clock = clock
        self._seconds = core.JOB_COMMIT_SECONDS
        self._requests = core.JOB_COMMIT_REQUESTS
        self.facts = facts
        self._memory_changes = facts.memory_changes
        self._listener = listener
        self._ledger = ledger
        self._units: list[Unit] = []
        self._postponed: dict[int, Postponed] = {}
        self._due_facts = False
        self._awaited: list[Deferred[None]] = []
        self._busy = False
        self._broken = False
        self._closing = False
        self._timer: Timer | None = None
        self._idle: list[Deferred[None]] = []
        self._begun = 0.0
        self.commits, self.waited = 0, 0.0

    def __repr__(self) -> str:
        return f"<Committer {len(self._units)} units{', busy' if self._busy else ''}>"

    def add(self, unit: Unit) -> None:
        """A unit is complete."""
        if self._closing:
            return  # a stop at once did not wait for it: a resume repeats its request
        self._units.append(unit)
        if not self._store.durable or len(self._units) >= self._requests:
            self.flush()
        elif self._timer is None:
            self._timer = self._clock.callLater(self._seconds, self._due)

    def postpone(self, postponed: Postponed) -> None:
        """A request will be sent again: its row changes with the next group."""
        if self._store.durable:
            self._postponed[postponed.token] = self.overtaken(postponed)
            self.soon()

    def soon(self) -> None:
        """Facts changed that a kill shall not undo: they are kept with the next group, or by themselves."""
        self._due_facts = True
        if self._timer is None and not self._closing:
            self._timer = self._clock.callLater(self._seconds, self._due)

    def keep(self) -> Deferred[None]:
        """Keep the facts that have changed by now; fires when they are in the store, and never if it fails."""
        kept: Deferred[None] = Deferred()
        if not self._store.durable:
            kept.callback(None)
            return kept
        self._awaited.append(kept)
        self.soon()
        return kept

    @property
    def knows_rows(self) -> bool:
        """Whether the store knows of every request that was postponed, or is just being told."""
        return not self._postponed

    def overtaken(self, postponed: Postponed) -> Postponed:
        """Forget what waits here for the same request, which is older; its attempts are kept.

        (A redirect goes to the store by itself, at once: the older row must not come behind it.)
        """
        earlier = self._postponed.pop(postponed.token, None)
        if earlier is not None:
            postponed.attempts = [*earlier.attempts, *postponed.attempts]
        return postponed

    def flush_children(self) -> None:
        """Commit what has gathered if requests are among it, which somebody may be waiting for."""
        for unit in self._units:
            if unit.children:
                self.flush()
                return

    def flush(self) -> None:
        """Commit what has gathered, unless a commit is under way."""
        if (
            self._busy
            or self._broken
            or not (self._units or self._postponed or self._memory_changes or self._due_facts)
        ):
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        units, self._units = self._units, []
        postponed, self._postponed = list(self._postponed.values()), {}
        self._busy, self._due_facts = True, False
        if self._store.durable:
            self._begun = self._clock.seconds()
        if not units:  # else it is known that their commits are awaited
            self._ledger.begin(Kind.COMMIT)
        awaited, self._awaited = self._awaited, []
        committed = maybeDeferred(self._commit, units, postponed)
        committed.addBoth(self._committed, units, awaited).addErrback(self._failed)

    def _commit(self, units: list[Unit], postponed: list[Postponed]) -> Deferred[list[Committed]]:
        facts = self.facts.changed() if self._store.durable else None
        for unit in units:
            if unit.changes:
                unit.memory += [MemoryChange(*change) for change in unit.changes]
        finished: list[Finished] = [*units]
        memory_changes = self._memory_changes.copy()
        if memory_changes:
            del self._memory_changes[: len(memory_changes)]
            finished.append(Finished(START, memory=[MemoryChange(*change) for change in memory_changes]))
        return self._store.commit(finished, postponed=postponed, facts=facts)

    def close(self) -> Deferred[None]:
        """Commit what is here, and nothing that comes later; fires when it is done (or the store has failed)."""
        self._closing = True
        self._due_facts = self._store.durable  # what was counted since the last commit is kept, too
        self.flush()
        deferred: Deferred[None] = Deferred()
        self._idle.append(deferred)
        self._tell_idle()
        return deferred

    def _due(self) -> None:
        self._timer = None
        self.flush()

    def _committed(self, answer: list[Committed] | Failure, units: list[Unit], awaited: list[Deferred[None]]) -> None:
        self._busy = False
        if not units:
            self._ledger.end(Kind.COMMIT)
        if isinstance(answer, Failure):
            self._broken = True
            self._listener.failed(error_of(answer))
        else:
            if self._store.durable:
                self.commits += 1
                self.waited += self._clock.seconds() - self._begun
            for unit, committed in zip(units, answer, strict=False):  # the last may be that of memory changes alone
                self._listener.committed(unit, committed)
            for kept in awaited:
                kept.callback(None)
            if self._closing and units and self._store.durable:
                self._due_facts = True  # the ends of these units are counted by now
            # Without a timer their waiting time ended while this commit was under way.
            overdue = self._timer is None
            if overdue or len(self._units) >= self._requests or self._idle:
                self.flush()
            self._ledger.changed()
        if self._idle:
            self._tell_idle()

    def _failed(self, failure: Failure) -> None:
        """What followed a commit went wrong: an error of ours, which must not leave the crawl waiting."""
        self._broken = True
        self._listener.failed(error_of(failure))
        self._tell_idle()

    def _tell_idle(self) -> None:
        if self._broken or not (self._busy or self._units or self._postponed):
            waiting, self._idle = self._idle, []
            for deferred in waiting:
                deferred.callback(None)


class Uncommitted:
    """What the store learns of only with a commit: fingerprints, and what the stages remember, ``memory``.

    ``carried``: of requests that have no row of their own; ``offered``: of children that wait for their unit.
    """

    def __init__(self, memory: dict[tuple[str, str], dict[Any, Any]]) -> None:
        self._memory = memory
        self.carried: set[int] = set()
        self.offered: set[int] = set()

    def forget_offers(self, offers: Iterable[Offer]) -> None:
        """The store knows these now, or nobody wants them any more."""
        for offer in offers:
            self.offered.discard(offer.fingerprint)

    def forget_added(self, unit: Unit, place: int) -> None:
        """The store has left out an item of a unit, and what was added to stage memory for it."""
        for change in unit.memory:
            if change.item == place and change.op == "add":
                self._memory.get((change.stage, change.name), {}).pop(change.key, None)

    def claimed(self, fingerprint: int, unit: Unit, *, new: bool) -> None:
        """The store has said whether a carried request, or what one has led to, is new: then it is registered with the
        commit of its unit. What another worker has claimed is not known for good: that worker may die."""
        if new:
            unit.fingerprints.append(fingerprint)
        else:
            self.carried.discard(fingerprint)


@dataclass(eq=False, repr=False, slots=True)
class Keeper:
    """Opens units and takes them when they are complete. ``durable``: a resume repeats what is not committed."""

    _committer: Committer
    uncommitted: Uncommitted
    _life: Life
    durable: bool

    def open(self, entry: Entry | None, part_of: Unit | None = None) -> Unit:
        """Begin the unit of a request (None: of results of start(), or of code that works for itself)."""
        self._life.ledger.begin(Kind.UNIT)
        unit = Unit(START if entry is None else entry.token, entry=entry, keeper=self, part_of=part_of)
        if part_of is not None:
            part_of.hold()
        if entry is not None and self.durable:
            unit.attempts = entry.attempts_log or []
        return unit

    def complete(self, unit: Unit) -> None:
        """A unit is complete: commit it, unless the crawl was stopped in its middle or there is nothing to commit."""
        abandoned = unit.abandoned and self.durable
        if abandoned or (unit.entry is None and unit.is_empty):
            self._life.ledger.end(Kind.UNIT)
            if abandoned and unit.entry is not None:
                self._life.books.abandon()
            self.uncommitted.forget_offers(unit.children)
            self._life.ledger.changed()
        else:
            self._committer.add(unit)
        whole = unit.part_of
        if whole is not None:
            whole.start_ended = whole.start_ended and not unit.abandoned
            whole.end_one()
