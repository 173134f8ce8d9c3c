"""What is a crawl made of, and how are the parts tied together?

``Parts`` is what the assembly gives; ``Wiring`` makes the engine's own parts from it, in the one
order in which they can be made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crawler.config.schema import CoreSettings
from crawler.engine.acceptance import Acceptance, Filter
from crawler.engine.books import Books
from crawler.engine.callbacks import Callbacks
from crawler.engine.clock import Clock
from crawler.engine.committer import Committer
from crawler.engine.delivery import Delivery
from crawler.engine.digest import digest
from crawler.engine.facts import Facts, FactSource
from crawler.engine.inline import Inline
from crawler.engine.intake import Intake
from crawler.engine.outcomes import Outcomes
from crawler.engine.outlet import Outlet
from crawler.engine.pace import Pace
from crawler.engine.pipelines import Pipelines
from crawler.engine.robots import RobotsGate
from crawler.engine.starts import AHEAD, Starts
from crawler.engine.tasks import Drive
from crawler.engine.threads import Pools
from crawler.engine.watch import HoldWatch
from crawler.events import Events
from crawler.feeds.seam import Feed
from crawler.frontier.frontier import Frontier
from crawler.frontier.host import HostLimits
from crawler.frontier.store import Store
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.outcome import Rules
from crawler.stats import Stats

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from crawler.engine.crawl import Crawl


@dataclass(slots=True, kw_only=True)
class Parts:
    """All that a crawl is given.

    ``fetch`` sends one exchange through the middlewares; ``random`` is uniform in [0, 1).
    """

    spider: Any
    core: CoreSettings
    job: str | None
    store: Store
    feeds: Sequence[Feed]
    stages: Sequence[Any]
    events: Events
    clock: Clock
    drive: Drive
    pools: Pools
    fetch: Callable[[Request], Deferred[Response]]
    rules: Rules
    filters: Sequence[Filter]
    redirect_filters: Sequence[Filter]
    fingerprint: Callable[[Request], int]
    slot_key: Callable[[Request], str]
    random: Callable[[], float]
    robots_agent: str
    stats: Stats
    memory: dict[tuple[str, str], dict[Any, Any]]
    facts: Sequence[FactSource] = field(default_factory=list)


class Wiring:
    """The engine's own parts of one crawl."""

    def __init__(self, crawl: Crawl, parts: Parts) -> None:
        core, events, clock, store = parts.core, parts.events, parts.clock, parts.store
        self.books = Books(events)
        self.inline = Inline()
        self.watch = HoldWatch(core.HOLD_WARNING_SECONDS)
        self.longest_wait = max(core.RETRY_AFTER_MAX, core.RETRY_BACKOFF_MAX, core.METAREFRESH_MAXDELAY)
        self.ahead = AHEAD if store.window is None else 1 << 60
        limits = _limits(core)
        self.frontier = Frontier(window=store.window, limits=limits, random=parts.random, robots=core.ROBOTSTXT_OBEY)
        self.gate = RobotsGate(core, self.frontier, clock, parts.robots_agent, random=parts.random)
        self.pace = Pace(core, self.frontier, clock, events, limits=limits, crawl_delay=self.gate.crawl_delay)
        self.facts = Facts([*parts.facts, self.pace, self.gate])
        self.outlet = Outlet(
            parts.feeds, store, clock=clock, pools=parts.pools, on_error=crawl.fail, on_room=crawl.made_room
        )
        self.pipelines = Pipelines(
            parts.stages,
            parts.spider,
            events=events,
            pools=parts.pools,
            drive=parts.drive,
            limit=core.CONCURRENT_ITEMS,
            on_room=crawl.made_room,
            on_close=crawl.stop,
        )
        self.acceptance = Acceptance(
            parts.filters,
            parts.redirect_filters,
            fingerprint=parts.fingerprint,
            slot_key=parts.slot_key,
            referrer_policy=core.REFERRER_POLICY if core.REFERER_ENABLED else None,
        )
        self.committer = Committer(
            store,
            clock,
            seconds=core.JOB_COMMIT_SECONDS,
            requests=core.JOB_COMMIT_REQUESTS,
            facts=self.facts.changed,
            on_committed=lambda unit, answer: self.intake.committed(unit, answer),
            on_error=crawl.fail,
        )
        self.intake = Intake(
            store=store,
            acceptance=self.acceptance,
            pipelines=self.pipelines,
            outlet=self.outlet,
            books=self.books,
            events=events,
            inline=self.inline,
            explain=core.JOB_EXPLAIN == "full",
            admit=crawl.admit,
            forget=self.frontier.done,
            commit=self.committer.add,
            changed=crawl.changed,
        )
        self.callbacks = Callbacks(
            clock=clock,
            drive=parts.drive,
            watch=self.watch,
            room=crawl.room_for_results,
            take=self.intake.take,
            failed=crawl.spider_failed,
        )
        self.starts = Starts(
            lambda **how: Callbacks(clock=clock, drive=parts.drive, watch=self.watch, **how),
            clock=clock,
            take=lambda result, unit: self.intake.take(result, unit, None),
            digest=lambda result: digest(result, parts.fingerprint),
            open_unit=lambda done: self.intake.open(None, done),
            done=self.intake.complete,
            failed=crawl.spider_failed,
        )
        self.outcomes = Outcomes(
            store=store,
            frontier=self.frontier,
            acceptance=self.acceptance,
            committer=self.committer,
            delivery=Delivery(parts.spider, self.callbacks),
            intake=self.intake,
            inline=self.inline,
            books=self.books,
            events=events,
            clock=clock,
            changed=crawl.changed,
            store_failed=crawl.fail,
        )


def _limits(core: CoreSettings) -> Callable[[str], HostLimits]:
    """Return what each host may be asked: the general settings, or the host's own in DOWNLOAD_SLOTS."""
    general = HostLimits(core.CONCURRENT_REQUESTS_PER_DOMAIN, core.DOWNLOAD_DELAY, core.RANDOMIZE_DOWNLOAD_DELAY)
    own = {
        host: HostLimits(
            int(slot.get("concurrency", general.concurrency)),
            float(slot.get("delay", general.delay)),
            bool(slot.get("randomize_delay", general.jitter)),
        )
        for host, slot in core.DOWNLOAD_SLOTS.items()
    }
    own[""] = HostLimits(core.CONCURRENT_REQUESTS, 0.0, False)  # file: and data: have no host to be polite to
    return lambda host: own.get(host, general)
