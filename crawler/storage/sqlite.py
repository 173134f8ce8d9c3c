"""How does a crawl keep its requests so that nothing can lose them?

Everything blocking happens in one thread, where the connection lives; calls are carried out in the
order in which they were made. What a commit writes is put into its stored form before the call
returns, so that what a spider does to its objects later changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from crawler.errors import StoreError
from crawler.frontier.host import Entry
from crawler.frontier.store import (
    START,
    Alone,
    Committed,
    Finished,
    Offer,
    Postponed,
    Redirected,
    Resumed,
    Where,
)
from crawler.storage.codec import CannotStore, Codec
from crawler.storage.commit import Writer, Written
from crawler.storage.group import PRIORITY_LIMIT, Rows, signed
from crawler.storage.jobfile import JobFile
from crawler.storage.lock import JobLock
from crawler.storage.places import BITS, NEWEST, ORDER, place
from crawler.storage.thread import StoreThread

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase, _SystemEventID

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class SQLiteStore(Alone):
    """A Store in one SQLite file (mode 0600). ``description`` (plain values) is kept in a new job:
    what a resume needs, such as the spider, its arguments, settings and feeds. ``resume``: the job must be there.

    ``codec`` turns requests and items into bytes and back; ``window`` is how many requests of a host the
    frontier shall hold. ``newest``: in a new job the newest request of a host goes first. ``lock`` is the job's, if it
    is held already. ``thread`` is where the work is done.
    """

    durable = True

    def __init__(
        self,
        path: str | Path,
        *,
        reactor: ReactorBase,
        codec: Codec,
        window: int | None = 64,
        description: dict[str, Any] | None = None,
        resume: bool = False,
        lock: JobLock | None = None,
        newest: bool = False,
    ) -> None:
        self.path = Path(path)
        self.window = window
        self._reactor = reactor
        self._codec = codec
        self._description = None if resume else {**(description or {}), **({ORDER: NEWEST} if newest else {})}
        self._lock = lock or JobLock(self.path)
        self._file = JobFile(self.path, codec)
        self._writer = Writer(self._file)
        self._rows = Rows(codec, limit=PRIORITY_LIMIT if not newest else 1 << 62 - BITS)
        self.can_store = self._rows.can_store
        # Makes the stored form of an item, for its commit; the caller keeps it until then, and changes it no more.
        self.keep_item = self._rows.keep_item
        # Of a value of stage memory or of the spider's state: raises CannotStore, naming its type, if it has none.
        self.check_value = codec.encode
        self.thread = StoreThread(reactor, f"the job {self.path}")
        self._trigger: _SystemEventID | None = None
        self._failed = False

    def __repr__(self) -> str:
        return f"<SQLiteStore {self.path} {self._file.counters}>"

    def open(self) -> Deferred[Resumed]:
        """Lock and open the job, making it if it is new; raises JobInUse, JobDamaged or StoreError."""
        try:
            self._lock.acquire()
        except StoreError as error:
            return fail(error)
        self.thread.start()
        if hasattr(self._reactor, "addSystemEventTrigger"):
            self._trigger = self._reactor.addSystemEventTrigger("during", "shutdown", self._shut)
        opened = self._run(self._file.open, self._description)
        return opened.addErrback(self._open_failed)

    def _open_failed(self, failure: Failure) -> Deferred[Resumed]:
        closed = self._run(self._file.close, None)

        def fail_as_before(_: Failure | None) -> Failure:
            self._shut()
            return failure

        return closed.addBoth(fail_as_before)

    def tell_lost(self, lost: Callable[[str, BaseException], None]) -> None:
        """Call ``lost(what, error)`` for each value of the user's that a commit must leave out (else it is logged)."""
        self._rows.lost = lost

    def claim(self, token: int, fingerprints: Sequence[int]) -> Deferred[list[bool]]:
        """Tell which fingerprints are new."""
        return self._run(self._file.are_new, [signed(fingerprint) for fingerprint in fingerprints])

    def commit(
        self,
        finished: Sequence[Finished],
        *,
        postponed: Sequence[Postponed] = (),
        facts: dict[str, Any] | None = None,
    ) -> Deferred[list[Committed]]:
        """Write all of it in one transaction; raises StoreError and changes nothing."""
        try:
            group = self._rows.group(finished, postponed, facts or {})
        except CannotStore as error:
            return fail(StoreError(f"a result cannot be stored: {error}"))
        offers = [(result.token == START, result.children) for result in finished]

        def committed(written: list[Written]) -> list[Committed]:
            return [
                Committed(self._entries(children, one.tokens, start), one.first_item, one.stored, one.duplicates)
                for (start, children), one in zip(offers, written, strict=True)
            ]

        return self._run(self._writer.write, group).addCallback(committed)

    def _entries(self, children: Sequence[Offer], tokens: Sequence[int], start: bool) -> list[Entry | Where | None]:
        entries: list[Entry | Where | None] = [_entry(*pair) for pair in zip(children, tokens, strict=True)]
        if self._file.newest:
            for entry in entries:
                if isinstance(entry, Entry):
                    place(entry, start=start)
        return entries

    def stage(self, token: int, children: Sequence[Offer]) -> Deferred[None]:
        """Keep children of an unfinished request outside memory until its commit."""
        try:
            rows = self._rows.staged(children)
        except CannotStore as error:
            return fail(StoreError(f"a result cannot be stored: {error}"))
        return self._run(self._writer.stage, token, rows)

    def redirect(self, postponed: Postponed, fingerprint: int) -> Deferred[Redirected]:
        """Register the target and postpone, in one transaction, if it is new."""
        try:
            moved = self._rows.moved(postponed, redirected=True)
        except CannotStore as error:
            return fail(StoreError(f"a redirected request cannot be stored: {error}"))
        redirected = self._run(self._writer.redirect, moved, signed(fingerprint))
        return redirected.addCallback(lambda new: "here" if new else "duplicate")

    def lease(self, host: str, count: int, after: tuple[int, int] | None) -> Deferred[list[tuple[Entry, float]]]:
        """Return the host's next queued requests; fewer than ``count`` means that there are no more."""
        return self._run(self._file.lease, host, count, after)

    def unfed_items(self, after: int, count: int) -> Deferred[list[tuple[int, Any]]]:
        """Return items of the outbox, in order."""
        return self._run(self._file.unfed, after, count)

    def fed(self, feed: str, mark: Mapping[str, Any], *, on_disk: bool = False) -> Deferred[None]:
        """Keep a feed's mark and let go of the items that all feeds have."""
        return self._run(self._file.fed, feed, int(mark["number"]), self._codec.encode(mark), on_disk)

    def feeds(self, names: Sequence[str]) -> Deferred[None]:
        """Name the feeds."""
        return self._run(self._file.name_feeds, list(names))

    def finish(self, *, ended: bool, reason: str) -> Deferred[None]:
        """Close the file and let go of the job; raises StoreError if its last state could not be written."""
        if not self.thread.open:
            return succeed(None)
        state = {"state": "finished" if ended else "stopped", "reason": reason}
        closed = self._run(self._file.close, None if self._failed else state)
        return closed.addBoth(self._closed)

    def _closed(self, result: T) -> T:
        self._shut()
        return result

    def _shut(self) -> None:
        """Stop the thread and free the job."""
        if self._trigger is not None:
            trigger, self._trigger = self._trigger, None
            try:
                self._reactor.removeSystemEventTrigger(trigger)
            except ValueError:  # it is just being run
                pass
        self.thread.stop()
        self._lock.release()

    def _run(self, function: Callable[[*Ts], T], *arguments: *Ts) -> Deferred[T]:
        return self.thread.run(function, *arguments).addErrback(self._note)

    def _note(self, failure: Failure) -> Failure:
        self._failed = True
        return failure


def _entry(offer: Offer, token: int) -> Entry | None:
    if not token:
        return None
    return Entry(offer.request, token=token, order=token, host=offer.host, origin=offer.origin)
