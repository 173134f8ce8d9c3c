"""What are the engine's own parts, each made after those that it needs?"""

from __future__ import annotations

import logging
from dataclasses import replace

from crawler.config.schema import CoreSettings
from crawler.engine.deciding.acceptance import StartPages, name_of
from crawler.engine.deciding.ends import CommittedUnits, Ends
from crawler.engine.deciding.judging import Again, Judging, Redirects
from crawler.engine.deciding.results import Carrying, LooseResults, Refusing, Requests, Results
from crawler.engine.ending import Ending
from crawler.engine.items.feed_writers import FeedWriters
from crawler.engine.items.pipelines import Pipelines
from crawler.engine.items.stage_kinds import make_stage
from crawler.engine.keeping.committer import Committer, Keeper, Uncommitted
from crawler.engine.keeping.facts import ErrorCount, Facts, Notes
from crawler.engine.life import Capacity, Life
from crawler.engine.parts import Parts
from crawler.engine.sending.flight import Flight, Turns
from crawler.engine.sending.holding import Holding, LeasedSender
from crawler.engine.sending.loop import Leasing, Loop
from crawler.engine.sending.sender import DepthFirstSender, KeptAnswers, Sender
from crawler.engine.steering.hosts import HostsByHand
from crawler.engine.steering.live import LiveSettings
from crawler.engine.user_code.around import CallbacksAround, Running
from crawler.engine.user_code.patience import Patience
from crawler.engine.user_code.starts import Starts
from crawler.engine.user_code.told import callbacks_of
from crawler.engine.user_code.watch import HoldWatch
from crawler.engine.waiting.latency import LatencyThrottle
from crawler.engine.waiting.queue import RequestQueue
from crawler.engine.waiting.robots import RobotsGate
from crawler.engine.waiting.throttle import Throttle, limits_of
from crawler.events import CrawlOpened
from crawler.frontier.frontier import Frontier
from crawler.frontier.shared import SharedFrontier
from crawler.spider import default_callback


class Keeping:
    """What a crawl keeps: its books, its requests in their queues, and the results that are to be committed."""

    def __init__(self, parts: Parts) -> None:
        core, machine, store, events = parts.core, parts.machine, parts.store, parts.events
        clock, random, durable = machine.clock, machine.random, parts.store.durable
        self.life = Life(capacity_of(core))
        self.ending = Ending(self.life, events)
        limits = self.limits = limits_of(core)
        frontier = SharedFrontier if store.takes else Frontier
        self.frontier = frontier(window=store.window, limits=limits, random=random, robots=core.ROBOTSTXT_OBEY)
        self.robots = RobotsGate(core, self.frontier, clock, parts.robots_agent, random=random, durable=durable)
        self.queue = RequestQueue(self.life, self.frontier, self.robots, clock, events, parts.edge, parts.known)
        self.feeds = FeedWriters(parts.feeds, store, machine=machine, ending=self.ending, events=events)
        self.facts = Facts(parts.facts, parts.memory_changes, self.ending)
        self.refusing = Refusing(self.life.books, events, explain=core.JOB_EXPLAIN == "full")
        uncommitted = Uncommitted(parts.memory)
        self.committed = CommittedUnits(
            self.frontier, self.queue, self.feeds, uncommitted, self.refusing, self.ending, events
        )
        self.committer = Committer(
            store, clock, core, facts=self.facts, listener=self.committed, ledger=self.life.ledger
        )
        self.keeper = Keeper(self.committer, uncommitted, self.life, durable=durable)
        by_latency = core.THROTTLE_ENABLED and core.THROTTLE_BY == "latency"
        self.throttle = (LatencyThrottle if by_latency else Throttle)(
            core, self.frontier, clock, events, limits=limits, committer=self.committer if durable else None
        )
        self.errors = ErrorCount(self.ending)
        self.notes = Notes()
        self.facts.add(self.throttle, self.robots, self.errors, self.notes)
        if hasattr(store, "tell_lost"):
            store.tell_lost(self.ending.value_lost)


class UsersCode:
    """What runs the user's code, and takes its results."""

    def __init__(self, parts: Parts, kept: Keeping) -> None:
        core, machine, store, ending = parts.core, parts.machine, parts.store, kept.ending
        self.watch = HoldWatch(core, machine, parts.events)
        self.patience = Patience(machine)
        stages = [make_stage(stage, parts.spider, machine) for stage in parts.stages]
        self.pipelines = Pipelines(
            stages,
            store,
            patience=self.patience,
            ending=ending,
            events=parts.events,
            keys=parts.item_keys,
            loose=parts.around is not None,
        )
        self.start_pages = StartPages(parts.start_marks, name_of(default_callback(parts.spider)))
        self.carrying = Carrying(store, parts.acceptance, kept.queue, kept.keeper, kept.refusing, ending)
        self.requests = Requests(
            store, parts.acceptance, self.start_pages, kept.keeper, kept.refusing, self.carrying, ending
        )
        results = (Results if parts.around is None else LooseResults)(self.pipelines, self.requests, ending)
        self.callbacks = callbacks_of(store, machine, results, kept.life.ledger)
        self.within: Running = self.callbacks
        if parts.around is not None:
            self.within = CallbacksAround(self.callbacks, parts.around)
        memory = kept.frontier if store.window is None else None
        self.starts = Starts(machine, results, kept.keeper, ending, parts.acceptance.fingerprint, store, memory=memory)


class Sending:
    """What sends requests, and acts on their outcomes."""

    def __init__(self, parts: Parts, kept: Keeping, users: UsersCode) -> None:
        machine, store, life, ending, queue = parts.machine, parts.store, kept.life, kept.ending, kept.queue
        clock, events = machine.clock, parts.events
        ends = self.ends = Ends(parts.spider, users.within, kept.keeper, queue.inline, life.books, events)
        again = Again(kept.committer, queue, clock, events)
        redirects = Redirects(store, parts.acceptance, users.start_pages, kept.keeper, again, ends, ending)
        judging = self.judging = Judging(
            parts.rules, machine, ends, again, redirects, queue.inline, notes=store.durable
        )
        turns = Turns(queue, kept.frontier, kept.robots, kept.throttle, ends, clock, life.ledger, events)
        self.flight = Flight(parts.edge, queue, turns, kept.throttle, judging, ending, events)
        answers = KeptAnswers(parts.edge, queue, kept.frontier, judging, self.flight, life)
        senders = answers, turns, self.flight, kept.committer, users.starts, life, clock
        one_by_one = parts.core.QUEUE_ORDER == "newest" and parts.core.CONCURRENT_REQUESTS == 1
        sender = (DepthFirstSender if one_by_one else Sender)(*senders)
        leasing = self.leasing = None
        if store.window is not None:
            leasing = self.leasing = Leasing(store, kept.frontier, queue, clock, ending, parts.rules)
        self.holding = None
        if isinstance(kept.frontier, SharedFrontier):
            self.holding = Holding(store, kept.frontier, kept.throttle, kept.committer, self.flight, ending, clock)
            sender = LeasedSender(*senders, store, kept.frontier)
        self.loop = Loop(life, clock, kept.frontier, sender, leasing, users.callbacks, kept.committer)


class Steering:
    """What is for those who steer the crawl while it runs."""

    def __init__(self, parts: Parts, kept: Keeping, sending: Sending) -> None:
        core, clock, events, store = parts.core, parts.machine.clock, parts.events, parts.store
        level = logging.DEBUG if store.takes else logging.INFO  # of many workers, who began the crawl tells it
        committer = kept.committer if store.durable else None
        self._kept = kept
        self._judging = sending.judging
        self.live = live = LiveSettings(core, clock, events, committer, anew=parts.anew, level=level)
        self.hosts = HostsByHand(kept.frontier, sending.ends, sending.leasing, kept.life, clock, committer, level=level)
        kept.facts.add(live, self.hosts)
        events.subscribe(CrawlOpened, self.hosts.opened)
        live.add(
            self._pace, "CONCURRENT_REQUESTS", "CONCURRENT_REQUESTS_PER_DOMAIN", "DOWNLOAD_DELAY",
            "RANDOMIZE_DOWNLOAD_DELAY", "DOWNLOAD_DELAY_JITTER", "THROTTLE_MAX_DELAY",
        )  # fmt: skip
        if core.THROTTLE_BY == "overload":
            live.add(self._pace, "THROTTLE_ENABLED")
        live.add(self._resize, "CONCURRENT_REQUESTS", "CONCURRENT_ITEMS", "SCRAPER_SLOT_MAX_ACTIVE_SIZE")
        if parts.rules.retry.retry_enabled:
            live.add(self._retry, "RETRY_TIMES")
        if parts.acceptance.limit_depth(core.DEPTH_LIMIT):
            live.add(lambda now: parts.acceptance.limit_depth(now.DEPTH_LIMIT), "DEPTH_LIMIT")

    def _pace(self, core: CoreSettings) -> None:
        """Tell those who know how fast hosts may be asked: the frontier first, since the throttle changes it."""
        limits = limits_of(core)
        self._kept.limits.general, self._kept.limits.own = limits.general, limits.own
        self._kept.frontier.by_hand.relimit()
        self._kept.throttle.relimit(core)

    def _resize(self, core: CoreSettings) -> None:
        self._kept.life.resize(capacity_of(core))

    def _retry(self, core: CoreSettings) -> None:
        rules = self._judging.rules
        self._judging.rules = replace(rules, retry=replace(rules.retry, retry_times=core.RETRY_TIMES))


def capacity_of(core: CoreSettings) -> Capacity:
    """Return how much may be under way at once."""
    return Capacity(core.CONCURRENT_REQUESTS, core.SCRAPER_SLOT_MAX_ACTIVE_SIZE, core.CONCURRENT_ITEMS)
