"""How are the engine's own parts tied together, in the one order in which they can be made?"""

from __future__ import annotations

from typing import Any, Protocol

from crawler.config.schema import CoreSettings
from crawler.engine.books import Books
from crawler.engine.deciding.acceptance import Acceptance
from crawler.engine.deciding.inline import Inline
from crawler.engine.deciding.outcomes import Outcomes
from crawler.engine.deciding.start_pages import StartPages, name_of
from crawler.engine.items.feed_writers import Outlet
from crawler.engine.items.pipelines import Pipelines
from crawler.engine.keeping.committer import Committer
from crawler.engine.keeping.facts import ErrorCount, Facts
from crawler.engine.keeping.results import Intake
from crawler.engine.keeping.unit import Unit
from crawler.engine.parts import Parts
from crawler.engine.sending.robots import RobotsGate
from crawler.engine.sending.throttle import Pace
from crawler.engine.user_code.callbacks import Callbacks
from crawler.engine.user_code.delivery import Delivery
from crawler.engine.user_code.item_digest import digest
from crawler.engine.user_code.patience import Patience
from crawler.engine.user_code.starts import Starts
from crawler.engine.user_code.watch import HoldWatch
from crawler.events import ItemFailed
from crawler.frontier.entry import Entry
from crawler.frontier.frontier import Frontier
from crawler.frontier.host import HostLimits, LimitsByHost
from crawler.model.response import Response
from crawler.spider import default_callback


class Hooks(Protocol):
    """What the parts tell the crawl, and what it counts."""

    failures: int
    lost_items: int

    def admit(self, entry: Entry) -> None:
        """An accepted request is to be queued."""

    def leave(self, entry: Entry) -> None:
        """An accepted request stays undone at a stop."""

    def changed(self) -> None:
        """Something ended or came in."""

    def made_room(self) -> None:
        """There may be room for results again."""

    def room_for_results(self) -> bool:
        """Tell whether a callback may go on."""

    def stop(self, reason: str) -> None:
        """The crawl is to end."""

    def fail(self, error: BaseException) -> None:
        """A feed or the store has failed."""

    def spider_failed(self, error: BaseException, unit: Unit, name: str, response: Response | None) -> None:
        """The spider's code raised."""

    def value_lost(self, what: str, error: BaseException) -> None:
        """A value of the user's cannot be kept in the job."""


class Wiring:
    """The engine's own parts of one crawl."""

    def __init__(self, parts: Parts, hooks: Hooks) -> None:
        core, events, clock, store = parts.core, parts.events, parts.clock, parts.store
        limits = _limits(core)
        self.books = Books(events)
        self.inline = Inline()
        self.watch = HoldWatch(core.HOLD_WARNING_SECONDS, parts.from_thread)
        self.patience = Patience(parts.drive, clock)
        self.frontier = Frontier(window=store.window, limits=limits, random=parts.random, robots=core.ROBOTSTXT_OBEY)
        self.gate = RobotsGate(
            core, self.frontier, clock, parts.robots_agent, random=parts.random, durable=store.durable
        )
        self.pace = self._pace(parts, limits)
        self.errors = ErrorCount(lambda: hooks.failures + hooks.lost_items + self.books.ended["failed"])
        self.facts = Facts([*parts.facts, self.pace, self.gate, self.errors], hooks.value_lost)
        if hasattr(store, "tell_lost"):
            store.tell_lost(hooks.value_lost)
        self.outlet = self._outlet(parts, hooks)
        self.pipelines = self._pipelines(parts, hooks)
        self.acceptance = Acceptance(
            parts.filters,
            parts.redirect_filters,
            fingerprint=parts.fingerprint,
            slot_key=parts.slot_key,
            referrer_policy=core.REFERRER_POLICY if core.REFERER_ENABLED else None,
        )
        self.committer = Committer(
            parts.store,
            clock,
            seconds=core.JOB_COMMIT_SECONDS,
            requests=core.JOB_COMMIT_REQUESTS,
            facts=self.facts.changed,
            loose=parts.memory_changes,
            on_committed=lambda unit, answer: self.intake.committed(unit, answer),
            changed=hooks.changed,
            on_error=hooks.fail,
        )
        self.start_pages = StartPages(parts.start_marks, name_of(default_callback(parts.spider)))
        self.intake = self._intake(parts, hooks)
        self.callbacks = self._callbacks(
            parts, room=hooks.room_for_results, take=self.intake.take, failed=hooks.spider_failed
        )
        self.starts = self._starts(parts, hooks)
        self.outcomes = self._outcomes(parts, hooks)

    def _outlet(self, parts: Parts, hooks: Hooks) -> Outlet:
        def lost(feed: str, item: Any, error: BaseException) -> None:
            parts.events.publish(ItemFailed(item, f"the filter of {feed}", error, None))

        return Outlet(
            parts.feeds,
            parts.store,
            clock=parts.clock,
            pools=parts.pools,
            on_error=hooks.fail,
            on_lost=lost,
            on_room=hooks.made_room,
        )

    def _pipelines(self, parts: Parts, hooks: Hooks) -> Pipelines:
        return Pipelines(
            parts.stages,
            parts.spider,
            events=parts.events,
            pools=parts.pools,
            drive=parts.drive,
            patience=self.patience,
            limit=parts.core.CONCURRENT_ITEMS,
            on_room=hooks.made_room,
            on_close=hooks.stop,
            keep=getattr(parts.store, "keep_item", None),
        )

    def _pace(self, parts: Parts, limits: LimitsByHost) -> Pace:
        soon = self._commit_soon if parts.store.durable else None
        return Pace(parts.core, self.frontier, parts.clock, parts.events, limits=limits, soon=soon)

    def _commit_soon(self) -> None:
        self.committer.soon()

    def _intake(self, parts: Parts, hooks: Hooks) -> Intake:
        return Intake(
            store=parts.store,
            acceptance=self.acceptance,
            start_pages=self.start_pages,
            pipelines=self.pipelines,
            outlet=self.outlet,
            books=self.books,
            events=parts.events,
            inline=self.inline,
            explain=parts.core.JOB_EXPLAIN == "full",
            admit=hooks.admit,
            forget=self.frontier.done,
            store_more=lambda host, count: self.frontier.stored_more(host, count, parts.clock.seconds()),
            made_room=hooks.made_room,
            failed=hooks.fail,
            commit=self.committer.add,
            changed=hooks.changed,
        )

    def _callbacks(self, parts: Parts, **how: Any) -> Callbacks:
        return Callbacks(clock=parts.clock, drive=parts.drive, **how)

    def _starts(self, parts: Parts, hooks: Hooks) -> Starts:
        return Starts(
            lambda **how: self._callbacks(parts, **how),
            take=lambda result, unit: self.intake.take(result, unit, None),
            digest=lambda result: digest(result, parts.fingerprint),
            open_unit=lambda done: self.intake.open(None, done),
            done=self.intake.complete,
            failed=hooks.spider_failed,
        )

    def _outcomes(self, parts: Parts, hooks: Hooks) -> Outcomes:
        return Outcomes(
            store=parts.store,
            frontier=self.frontier,
            acceptance=self.acceptance,
            start_pages=self.start_pages,
            committer=self.committer,
            delivery=Delivery(parts.spider, self.callbacks),
            intake=self.intake,
            inline=self.inline,
            books=self.books,
            events=parts.events,
            clock=parts.clock,
            leave=hooks.leave,
            changed=hooks.changed,
            store_failed=hooks.fail,
            failed=hooks.spider_failed,
        )


def _limits(core: CoreSettings) -> LimitsByHost:
    """Return what each host may be asked: the general settings, or the host's own in DOWNLOAD_SLOTS."""
    general = HostLimits(core.CONCURRENT_REQUESTS_PER_DOMAIN, core.DOWNLOAD_DELAY, core.RANDOMIZE_DOWNLOAD_DELAY)
    own = {
        host: HostLimits(
            slot.get("concurrency", general.concurrency),
            slot.get("delay", general.delay),
            bool(slot.get("jitter", slot.get("randomize_delay", general.jitter))),
        )
        for host, slot in core.DOWNLOAD_SLOTS.items()
    }
    own[""] = HostLimits(core.CONCURRENT_REQUESTS, 0.0, False)  # file: and data: have no host to be polite to
    return LimitsByHost(general, own)
