"""What has one request produced so far, and is it complete?

The unit of commit is a request: its children, items and stage memory become visible together, when
its callback has ended and its items have left the pipelines. A request that has no row of its own
(carried: it cannot be stored, or is an inline fetch) works for the unit of its parent.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol

from crawler.frontier.host import Entry
from crawler.frontier.store import Finished
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.pipeline import Change

current: ContextVar[Unit | None] = ContextVar("current", default=None)
"""The unit whose code runs now: an inline fetch belongs to it."""


class Unsure(NamedTuple):
    """An item for which a stage remembered something that another worker may have added before: ``stage`` did.
    ``place`` is that among the items of its unit."""

    place: int
    stage: str
    item: Any
    response: Response | None


def first_added(changes: list[Change]) -> str:
    """Return the class of the stage that added the first member to a set of its memory; "" if none did."""
    return next((stage.rpartition(".")[2] for stage, _, op, _, _ in changes if op == "add"), "")


class UnitKeeper(Protocol):
    """Who opens units, and takes them when they are complete."""

    def open(self, entry: Entry | None, part_of: Unit | None = None) -> Unit:
        """Begin a unit."""

    def complete(self, unit: Unit) -> None:
        """All that must end before the commit has ended."""


class Unit(Finished, kw_only=True, eq=False):
    """The results of one request while they are being made, and then what the store is told.

    ``pending`` counts what must end before the commit: the callback, items in the pipelines, carried
    children, and units that are ``part_of`` this one. ``entry`` is None for results of start().
    ``fingerprints`` are those of carried children. ``changes`` are those of stage memory of which no item is known;
    ``unsure`` are the items of which the commit decides whether they are new. ``numbers``: how many
    items each page has yielded, if that is of interest. ``abandoned``: the crawl
    stops before the unit is complete; nothing of it is committed, and a resume repeats the request.
    """

    entry: Entry | None = None
    keeper: UnitKeeper
    part_of: Unit | None = None
    pending: int = 1
    detail: str = ""
    status: int | None = None
    changes: list[Change] = []
    unsure: tuple[Unsure, ...] = ()
    numbers: dict[str, int] = {}
    abandoned: bool = False

    def __repr__(self) -> str:
        return f"<Unit {self.entry!r} pending={self.pending} items={len(self.items)} children={len(self.children)}>"

    @property
    def request(self) -> Request | None:
        """The request whose unit this is; None for start()."""
        return self.entry.request if self.entry is not None else None

    @property
    def is_empty(self) -> bool:
        """Whether nothing came of code that works for itself, for an inline fetch."""
        return not (
            self.start_count
            or self.start_ended
            or self.start_digests
            or self.children
            or self.items
            or self.changes
            or self.memory
        )

    def hold(self) -> None:
        """One more thing must end before the commit."""
        self.pending += 1

    def end_one(self) -> None:
        """One of the things has ended; the last one completes the unit."""
        self.pending -= 1
        if self.pending == 0:
            self.keeper.complete(self)
