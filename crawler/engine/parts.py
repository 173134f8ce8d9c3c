"""What is a crawl given?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from crawler.config.schema import CoreSettings
from crawler.engine.deciding.acceptance import Acceptance, Marks
from crawler.engine.items.keys import ItemKeys
from crawler.engine.keeping.facts import FactSource
from crawler.engine.machine import Machine
from crawler.engine.user_code.around import Around
from crawler.events import Events
from crawler.feeds.seam import Feed
from crawler.frontier.store import Store
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.pipeline import Change
from crawler.pipeline import Stage as UsersStage
from crawler.policy.known import KnownLeaves
from crawler.policy.outcome import Rules
from crawler.spider import Spider
from crawler.stats import Stats


class Edge(Protocol):
    """The way to the network, through the middlewares; ``lookup`` gives the cache's fresh answer, None without one."""

    @property
    def lookup(self) -> Callable[[Request], Deferred[Response | None]] | None:
        """The way to the cache."""

    def fetch(self, request: Request) -> Deferred[Response]:
        """Send one exchange."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """All that a crawl is given.

    ``start`` yields the first requests; ``opened`` is called when everything is open, and waited for before anything
    is sent; ``closed`` in the place of the spider's own. ``anew``: settings that were given to this run of a job.
    """

    spider: Spider
    start: Callable[[], Any]
    core: CoreSettings
    job: str | None
    store: Store
    feeds: Sequence[Feed]
    stages: Sequence[UsersStage]
    events: Events
    machine: Machine
    edge: Edge
    rules: Rules
    acceptance: Acceptance
    robots_agent: str
    stats: Stats
    start_marks: Marks
    memory: dict[tuple[str, str], dict[Any, Any]]
    memory_changes: list[Change] = field(default_factory=list)
    facts: Sequence[FactSource] = field(default_factory=list)
    known: KnownLeaves | None = None
    item_keys: ItemKeys | None = None
    around: Around | None = None
    opened: Callable[[], Any] | None = None
    closed: Callable[[str], Any] | None = None
    anew: frozenset[str] = frozenset()
