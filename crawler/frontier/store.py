"""What must a store of requests be able to do?

The store holds the requests of one crawl (a job), says which are new, and keeps what finished
requests produced. It is asynchronous: each call gives a Deferred, so that a store may live in a
thread or behind a network. The engine has one commit under way at a time and gathers the next
group meanwhile. All or nothing: a commit that fails leaves the store as it was.

A store may be shared by many processes, the workers of one crawl. Then requests are taken out of it, and a host may
be asked only with permits that it grants. What it tells a worker of that, and what the worker tells it, goes through
a ``Listener``. A store of one process answers these questions by ``Alone``.

Times given to a store are wall-clock seconds since the epoch; ``not_before`` is clamped by the
caller when it comes back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from msgspec import Struct

from crawler.frontier.host import Attempt as Attempt
from crawler.frontier.host import Entry
from crawler.frontier.sharing import Alone as Alone
from crawler.frontier.sharing import Grant as Grant
from crawler.frontier.sharing import Listener as Listener
from crawler.frontier.sharing import Report as Report
from crawler.frontier.sharing import Told as Told
from crawler.model.request import Request

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

START = -1
"""The token under which the results of start() are committed, any number of times."""


class Where(Enum):
    """Where a request is that is queued, but not here."""

    ELSEWHERE = "elsewhere"


ELSEWHERE = Where.ELSEWHERE

Redirected = Literal["here", "elsewhere", "duplicate"]
"""What became of a redirected request: "here", it is still this process's; "elsewhere", another one has it now."""


class Offer(NamedTuple):
    """A valid request that passed the filters: accepted if its fingerprint is new.

    ``check`` False (dont_filter) accepts it in any case; the fingerprint is registered either way.
    ``fingerprint`` is an unsigned 64-bit number. ``found_on`` is the URL of its page ("" for start()).
    """

    request: Request
    fingerprint: int
    host: str
    origin: str
    check: bool
    found_on: str


class MemoryChange(NamedTuple):
    """One change of a stage's memory: ``op`` is "add" (a set's member; its value is None), "set" (a dict's) or "del".

    ``item``: the place, among the items of its Finished, of the item for which the change was made; -1: none, or it is
    not known. Only a store that takes cares: if a key is there already that one of the item's changes adds, then the
    item and all of its changes are left out (see ``Committed.dropped``), for the key is another worker's.
    """

    stage: str
    name: str
    op: str
    key: str | bytes | float | Decimal | date | Enum | tuple[Any, ...] | frozenset[Any] | None
    value: Any
    item: int = -1


class Refusal(NamedTuple):
    """A request refused before acceptance, recorded when JOB_EXPLAIN is "full"."""

    url: str
    reason: str
    detail: str
    found_on: str


class Finished(Struct):
    """Everything one finished request produced: one transaction.

    ``token`` START stands for results of start(): ``start_count`` is then how many results start()
    has delivered so far, and ``start_ended`` whether it has come to its end.
    ``outcome`` is "answered", "failed" or "dropped"; ``fingerprints`` are those of carried requests.
    """

    token: int
    outcome: str = "answered"
    reason: str = ""
    children: list[Offer] = []
    items: list[Any] = []
    memory: list[MemoryChange] = []
    fingerprints: list[int] = []
    attempts: list[Attempt] = []
    refusals: list[Refusal] = []
    start_count: int = 0
    start_digests: list[int] = []
    start_ended: bool = False


class Postponed(Struct):
    """A request that will be sent again (retry, redirect): its row changes with the next commit."""

    token: int
    request: Request
    host: str
    origin: str
    not_before: float
    attempts: list[Attempt] = []


class Committed(Struct):
    """The store's answer for one Finished.

    ``admitted`` has one place for each child: the Entry made for it, ELSEWHERE if the store has queued it and whoever
    takes it out gets it, or None for a duplicate.
    ``first_item`` is the number of its first item; items are numbered from 1 over the whole job.
    Of the children that were staged, ``stored`` has how many each host got, which are in the store only, and
    ``duplicates`` how many were not new. ``dropped`` are the places of items that were left out (see MemoryChange).
    """

    admitted: list[Entry | Where | None]
    first_item: int
    stored: dict[str, int] = {}
    duplicates: int = 0
    dropped: list[int] = []


class Resumed(Struct):
    """What a store finds when it is opened; all empty for a new job.

    ``queued`` is the number of requests of each host that are not done. ``facts`` is what was kept
    by ``commit(..., facts=…)`` by name (cookies, robots, throttle, stats, spider state, …); what became None is gone.
    """

    is_new: bool = True
    queued: dict[str, int] = {}
    done: int = 0
    accepted: int = 0
    items: int = 0
    start_count: int = 0
    start_digests: list[int] = []
    start_ended: bool = False
    facts: dict[str, Any] = {}
    memory: dict[tuple[str, str], dict[Any, Any]] = {}
    feed_marks: dict[str, Any] = {}


class Store(Protocol):
    """Where the requests of a job are kept.

    ``durable``: whether it survives the process. ``window``: how many requests of a host the
    frontier should hold in memory; None if the store keeps none back (it then never gets lease()).
    ``takes``: other processes work on the job, too; what is leased is taken out of it, and hosts need permits.
    """

    durable: bool
    window: int | None
    takes: bool

    def listen(self, listener: Listener) -> None:
        """Tell this one what happens to what the process holds; called before open(), if the store ``takes``."""

    def may_send(self) -> bool:
        """Tell whether requests may be sent now."""

    def look(self) -> None:
        """There may be something to tell: ask the listener for its report soon."""

    def running(self, token: int) -> None:
        """A callback of this request begins: if the process dies now, that may be why."""

    def stop(self, reason: str) -> None:
        """Let all processes of the crawl stop."""

    def open(self) -> Deferred[Resumed]:
        """Open or create; raises JobInUse, JobDamaged or StoreError."""

    def can_store(self, request: Request) -> bool:
        """Tell whether the request can have a row (else the engine carries it). Never raises."""

    def claim(self, token: int, fingerprints: Sequence[int]) -> Deferred[list[bool]]:
        """Tell which fingerprints are new. The unit of this token will register them with its commit; until then no
        other process gets them."""

    def commit(
        self,
        finished: Sequence[Finished],
        *,
        postponed: Sequence[Postponed] = (),
        facts: dict[str, Any] | None = None,
    ) -> Deferred[list[Committed]]:
        """Make all of it durable in one transaction, in order; raises StoreError and changes nothing.

        A Finished with an unknown or already finished token is an error, START apart.
        """

    def stage(self, token: int, children: Sequence[Offer]) -> Deferred[None]:
        """Keep children of an unfinished request until its commit, ahead of those that the commit brings. Nobody
        sees them before; without the commit they are gone. Only asked of a store with a window."""

    def redirect(self, postponed: Postponed, fingerprint: int) -> Deferred[Redirected]:
        """Register the target's fingerprint and postpone if it is new; "duplicate", and nothing done, if not."""

    def lease(self, host: str, count: int, after: tuple[int, int] | None) -> Deferred[list[tuple[Entry, float]]]:
        """Return the next ``count`` requests of the host that sort behind ``after``, each with its
        not_before; ``after`` is the ``key`` of an Entry, None for the host's first. A store that ``takes`` gives
        the host's first, which are this process's from now on."""

    def unfed_items(self, after: int, count: int) -> Deferred[list[tuple[int, Any]]]:
        """Return committed items numbered above ``after``, in order, at most ``count``."""

    def fed(self, feed: str, mark: Mapping[str, Any], *, on_disk: bool = False) -> Deferred[None]:
        """Keep a feed's mark (a value of plain types with a number under "number"); items up to the
        smallest number of all feeds that were named to ``feeds()`` are deleted. ``on_disk``: it, and all that
        was kept before, has to survive a power cut from now on."""

    def feeds(self, names: Sequence[str]) -> Deferred[None]:
        """Name the feeds of the job, once, before the first commit. No feeds: items are not kept."""

    def finish(self, *, ended: bool, reason: str) -> Deferred[None]:
        """Close; ``ended`` means that nothing is left to do."""
