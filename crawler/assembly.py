"""How are the rooms put together into one crawl?

``crawl()`` is the public way; the command line is its first user. Everything a crawl needs is made
here and handed in; nothing of it lives in a module global, so several crawls run in one process.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from twisted.internet.defer import Deferred

from crawler.config.arguments import convert_arguments
from crawler.config.settings import Settings
from crawler.download.assembled import Edge
from crawler.download.seam import Downloader
from crawler.engine.clock import Clock, ReactorClock
from crawler.engine.crawl import Crawl
from crawler.engine.facts import SpiderState, StatsFacts
from crawler.engine.limits import Limits
from crawler.engine.parts import Parts
from crawler.engine.result import summarise
from crawler.engine.tasks import Drive, driver, loop_of
from crawler.engine.threads import Pools, reactor_pools
from crawler.errors import CrawlerError, UsageError
from crawler.events import Events
from crawler.feeds import make_feeds
from crawler.feeds.seam import Feed
from crawler.frontier.store import Store
from crawler.jobs import ChosenStore, JobPlan, choose_store
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import fingerprint
from crawler.observe.stats import subscribe_stats
from crawler.policy.httperror import StatusRules
from crawler.policy.outcome import Rules
from crawler.policy.redirect import RedirectRules
from crawler.policy.retry import RetryRules
from crawler.policy.scope import DepthFilter, OffsiteFilter, SchemeFilter, UrlLengthFilter
from crawler.spider import Crawler, Spider
from crawler.stats import Stats
from crawler.summary import Summary


@dataclass(slots=True, kw_only=True)
class World:
    """What a crawl has of the machine: time, tasks, threads and the network. Tests have another one.

    ``downloader`` takes the place of the one that the settings name.
    """

    reactor: Any
    clock: Clock
    drive: Drive
    pools: Pools
    downloader: Downloader | None = None
    random: Callable[[], float] = field(default=random.random)


def real_world(reactor: Any) -> World:
    """Return the world beneath a reactor."""
    return World(
        reactor=reactor, clock=ReactorClock(reactor), drive=driver(loop_of(reactor)), pools=reactor_pools(reactor)
    )


class PreparedCrawl:
    """A crawl that is ready to run: everything is checked, nothing has been fetched.

    ``events`` and ``stats`` may be looked at and subscribed to before and during the run.
    """

    def __init__(self, crawl: Crawl, crawler: Crawler, world: World, edge: Edge, chosen: ChosenStore) -> None:
        self._crawl = crawl
        self._world = world
        self._edge = edge
        self._chosen = chosen
        self.crawler = crawler
        self.job = crawl.parts.job

    def __repr__(self) -> str:
        return f"<PreparedCrawl {self._crawl!r}>"

    @property
    def events(self) -> Events:
        """What happens in this crawl."""
        return self.crawler.events

    @property
    def stats(self) -> Stats:
        """The counters of this crawl."""
        return self.crawler.stats

    @property
    def queued(self) -> int:
        """How many requests wait, in memory and in the store."""
        return self._crawl.queued

    @property
    def in_flight(self) -> int:
        """How many requests are being fetched."""
        return self._crawl.in_flight

    def stop(self, reason: str = "shutdown") -> None:
        """Let what is in flight finish, then end."""
        self._crawl.stop(reason)

    def stop_now(self) -> None:
        """End at once; a durable job repeats what was in flight when it is resumed."""
        self._crawl.stop_now()

    def run(self) -> Deferred[Summary]:
        """Run the crawl; fails with UsageError or StoreError."""
        return Deferred.fromCoroutine(self._run())

    async def _run(self) -> Summary:
        clock = self._world.clock
        started, since = clock.wall(), clock.seconds()
        try:
            await self._crawl.run()
        finally:
            await self._edge.close()
        if self._crawl.complete and not self._crawl.parts.core.JOB_KEEP:
            self._chosen.forget()
        seconds = clock.seconds() - since
        stats = self.stats
        stats.set_value("start_time", datetime.fromtimestamp(started, UTC))
        stats.set_value("finish_time", datetime.fromtimestamp(clock.wall(), UTC))
        stats.set_value("finish_reason", self._crawl.reason)
        stats.set_value("elapsed_time_seconds", seconds)
        return summarise(self._crawl, started=started, finished=clock.wall(), seconds=seconds)


def crawl(
    spider_class: type[Spider],
    settings: Settings | Mapping[str, Any] | None = None,
    *,
    reactor: Any,
    arguments: Mapping[str, Any] | None = None,
) -> Deferred[Summary]:
    """Run a spider and return a Deferred of its Summary.

    ``settings`` wins over the spider's custom_settings; ``arguments`` are the spider's, values or texts.
    The Deferred fails with UsageError (before anything is fetched) or StoreError.
    """
    try:
        return prepare(spider_class, settings, world=real_world(reactor), arguments=arguments).run()
    except CrawlerError as error:
        failed: Deferred[Summary] = Deferred()
        failed.errback(error)
        return failed


def prepare(
    spider_class: type[Spider],
    settings: Settings | Mapping[str, Any] | None = None,
    *,
    world: World,
    arguments: Mapping[str, Any] | None = None,
    store: Store | None = None,
    plan: JobPlan | None = None,
    feeds: Sequence[Feed] | None = None,
) -> PreparedCrawl:
    """Make and check everything a crawl needs. Raises UsageError."""
    loaded = settings if isinstance(settings, Settings) else Settings.load(None, spider_class, script=settings or {})
    core = loaded.core
    stats, events = Stats(), Events()
    crawler = Crawler(settings=loaded, stats=stats, events=events)
    spider = make_spider(spider_class, crawler, arguments or {})
    crawler.spider = spider
    subscribe_stats(events, stats)
    if feeds is None:
        feeds = make_feeds(
            core.FEEDS, core, spider_name=spider.name, started=datetime.fromtimestamp(world.clock.wall(), UTC)
        )
    for feed in feeds:
        feed.check()
    if store is not None:
        chosen = ChosenStore(store, core.JOB_NAME)
    else:
        chosen = choose_store(core, spider, plan=plan or JobPlan(), reactor=world.reactor, wall=world.clock.wall())
    edge = Edge(
        core,
        reactor=world.reactor,
        make=lambda component: make_component(component, crawler),
        drive=world.drive,
        downloader=world.downloader,
    )
    stages = [make_component(stage, crawler) for stage in core.PIPELINES]
    parts = Parts(
        spider=spider,
        core=core,
        job=chosen.job,
        store=chosen.store,
        feeds=feeds,
        stages=stages,
        events=events,
        clock=world.clock,
        drive=world.drive,
        pools=world.pools,
        fetch=edge.fetch,
        rules=make_rules(loaded, spider),
        filters=_filters(loaded, spider),
        redirect_filters=_redirect_filters(loaded, spider),
        fingerprint=core.FINGERPRINT or fingerprint,
        slot_key=core.SLOT_KEY or slot_key,
        random=world.random,
        robots_agent=core.ROBOTSTXT_USER_AGENT or core.USER_AGENT,
        stats=stats,
        memory=crawler.memory,
        facts=[StatsFacts(stats, plain=_is_plain), SpiderState(spider), *edge.facts],
    )
    run = Crawl(parts)
    crawler.fetch, crawler.stop, crawler.http = run.fetch, run.stop, edge.http
    edge.again = run.fetch
    Limits(core, world.clock, events, run.stop)
    for extension in core.EXTENSIONS:
        _subscribe(make_component(extension, crawler), crawler)
    return PreparedCrawl(run, crawler, world, edge, chosen)


def make_spider(spider_class: type[Spider], crawler: Crawler, arguments: Mapping[str, Any]) -> Spider:
    """Make the spider with its converted arguments. Raises ArgumentError."""
    if not spider_class.name:
        raise UsageError(f"{spider_class.__qualname__} has no name")
    values = convert_arguments(spider_class, arguments)
    spider = spider_class.from_crawler(crawler, **values)
    if getattr(spider, "crawler", None) is not crawler:
        spider.bind(crawler)  # a from_crawler of the user's that does not call ours
    for name, value in crawler.settings.of(spider_class).items():
        setattr(spider, name, value)
    return spider


def make_component(component: Any, crawler: Crawler) -> Any:
    """Make a stage, middleware or extension: from_crawler if it has one, and its declared settings set."""
    if not isinstance(component, type):
        return component
    made = component.from_crawler(crawler) if hasattr(component, "from_crawler") else component()
    for name, value in crawler.settings.of(component).items():
        setattr(made, name, value)
    if hasattr(made, "bind"):
        made.bind(crawler)
    return made


def _subscribe(extension: Any, crawler: Crawler) -> None:
    if not hasattr(extension, "subscribe"):
        raise UsageError(f"{type(extension).__name__} in EXTENSIONS has no subscribe(events)")
    extension.subscribe(crawler.events)


def slot_key(request: Request) -> str:
    """Return whose queue a request waits in: meta download_slot, or its host name."""
    return request.meta.get("download_slot") or request.host


def make_rules(settings: Settings, spider: Spider) -> Rules:
    """Return the policies' rules from the settings and the spider."""
    core = settings.core
    handled = frozenset(spider.handle_httpstatus_list or ())
    return Rules(
        redirect=RedirectRules(
            core.REDIRECT_ENABLED,
            core.REDIRECT_MAX_TIMES,
            core.REDIRECT_PRIORITY_ADJUST,
            core.METAREFRESH_ENABLED,
            core.METAREFRESH_MAXDELAY,
            tuple(core.METAREFRESH_IGNORE_TAGS),
            core.REFERRER_POLICY,
            handled,
        ),
        retry=RetryRules(
            core.RETRY_ENABLED,
            core.RETRY_TIMES,
            frozenset(core.RETRY_HTTP_CODES),
            core.RETRY_PRIORITY_ADJUST,
            core.RETRY_BACKOFF,
            core.RETRY_BACKOFF_MAX,
            core.RETRY_AFTER_MAX,
        ),
        status=StatusRules(core.HTTPERROR_ALLOW_ALL, frozenset(core.HTTPERROR_ALLOWED_CODES), handled or None),
    )


def _filters(settings: Settings, spider: Spider) -> list[Any]:
    core = settings.core
    schemes = ("http", "https", *core.SCHEMES)
    return [
        SchemeFilter(schemes),
        OffsiteFilter(spider.allowed_domains),
        DepthFilter(core.DEPTH_LIMIT, core.DEPTH_PRIORITY),
        UrlLengthFilter(core.URLLENGTH_LIMIT),
        *(f() if isinstance(f, type) else f for f in core.REQUEST_FILTERS),
    ]


def _redirect_filters(settings: Settings, spider: Spider) -> list[Any]:
    # A redirect is the same accepted request: no deeper, and its scheme was judged by the policy.
    return [f for f in _filters(settings, spider) if not isinstance(f, DepthFilter | SchemeFilter)]


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool | type(None) | datetime)


__all__ = ["PreparedCrawl", "Response", "World", "crawl", "make_component", "prepare", "real_world"]
