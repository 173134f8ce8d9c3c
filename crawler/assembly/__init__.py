"""How are the rooms put together into one crawl?

``crawl()`` is the public way; the command line is its first user. Everything a crawl needs is made
here and handed in; nothing of it lives in a module global, so several crawls run in one process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.assembly.companions import KINDS, Companions, Watched
from crawler.assembly.components import NoSideCalls
from crawler.assembly.explaining import explaining
from crawler.assembly.feeds import feeds_of_crawl, place_feeds
from crawler.assembly.job import ChosenStore, JobPlan, begun, choose_store, going_on
from crawler.assembly.making import Making, load_settings, make
from crawler.assembly.prepared import PreparedCrawl
from crawler.assembly.rules import checked_fingerprint
from crawler.assembly.second_run import Command, SecondRun, item_keys, keeps_items, second_run, with_digests
from crawler.assembly.world import ForComponents, World, real_world
from crawler.config.settings import Settings
from crawler.download.edge import Edge
from crawler.engine.closespider import CloseSpiderLimits
from crawler.engine.crawl import Crawl
from crawler.engine.keeping.facts import SpiderState, StatsFacts
from crawler.engine.parts import Parts
from crawler.feeds.seam import Feed
from crawler.frontier.store import Store
from crawler.observe.board.kinds import KeptErrors
from crawler.observe.log import log_for_script, set_level
from crawler.spider import Spider, spider_of
from crawler.steering.settings import LIVE
from crawler.storage.cache import CacheFile
from crawler.summary import Summary


def crawl(
    spider_class: type[Spider],
    settings: Settings | Mapping[str, Any] | None = None,
    *,
    reactor: Any,
    arguments: Mapping[str, Any] | None = None,
) -> Deferred[Summary]:
    """Run a spider and return a Deferred of its Summary.

    ``settings`` wins over the spider's custom_settings; ``arguments`` are the spider's, values or texts.
    The Deferred fails with UsageError (before anything is fetched), StoreError, or what the spider's own
    making raised; cancelling it stops the crawl at once. It never fires before the reactor's next turn, so that
    ``reactor.stop`` may be its callback.
    """
    turn: Deferred[Any] = Deferred(lambda _: call.cancel())
    call = reactor.callLater(0, turn.callback, None)
    try:
        prepared = prepare(spider_class, settings, world=real_world(reactor), arguments=arguments)
    except Exception as error:
        failed = Failure(error)
        return turn.addCallback(lambda _: failed)
    return turn.addCallback(lambda _: run_logged(prepared))


def run_logged(prepared: PreparedCrawl) -> Deferred[Summary]:
    """Run a crawl that code has begun; what goes wrong in it is shown. Raises OutputError for LOG_FILE."""
    stop_logging = log_for_script(prepared.settings, prepared.log, prepared.stats)
    return prepared.run().addBoth(lambda result: (stop_logging(), result)[1])


def prepare(
    spider_class: type[Spider],
    settings: Settings | Mapping[str, Any] | None = None,
    *,
    world: World,
    arguments: Mapping[str, Any] | None = None,
    store: Store | None = None,
    plan: JobPlan | None = None,
    feeds: Sequence[Feed] | None = None,
    also_feeds: Sequence[Feed] = (),
) -> PreparedCrawl:
    """Make and check everything a crawl needs. Raises UsageError.

    ``feeds`` are in the place of those that the settings name, ``also_feeds`` beside them.
    """
    making = make(spider_class, load_settings(spider_class, settings), arguments or {}, world.machine.pools)
    loaded, crawler = making.settings, making.crawler
    spider = spider_of(crawler)
    making.count()
    plan, wall = going_on(loaded, spider, plan or JobPlan()) if store is None else JobPlan(), world.clock.wall()
    command = Command.of(spider.name, plan.description)
    second = second_run(loaded.core, command, checked_fingerprint(loaded.core.FINGERPRINT), part=plan.is_part)
    if feeds is None:
        feeds = feeds_of_crawl(loaded, spider, begun(loaded.core, plan, wall))
    feeds = [*feeds, *also_feeds]
    for feed in feeds:
        feed.check()
    if store is not None:
        chosen = ChosenStore(store, loaded.core.JOB_NAME)
    else:
        chosen = choose_store(loaded, spider, plan=plan, reactor=world.reactor, wall=wall)
    if chosen.path is not None:
        place_feeds(feeds, chosen.path.parent, chosen.path.stem)
        feeds = with_digests(feeds, loaded.core, chosen.path, second)
    keyed = any(getattr(feed, "keyed", False) for feed in feeds) or (plan.is_part and keeps_items(loaded.core))
    try:
        prepared = _prepared(making, world, chosen, feeds, second._replace(keyed=keyed), plan)
    except BaseException as error:
        chosen.abandon()
        if isinstance(error, Exception | KeyboardInterrupt):
            raise
        raise RuntimeError(f"{error!r} was raised") from error
    if prepared.job is not None:
        prepared.go_on = prepared.companions.watched.go_on = plan.command(f"resume {prepared.job}", loaded.core)
    return prepared


def _prepared(
    making: Making, world: World, chosen: ChosenStore, feeds: Sequence[Feed], second: SecondRun, plan: JobPlan
) -> PreparedCrawl:
    core, crawler = making.settings.core, making.crawler
    crawler.check_value = getattr(chosen.store, "check_value", None)
    edge = _edge(making, world)
    run = Crawl(_parts(making, world, edge, chosen, feeds, second, plan.anew))
    crawler.running = ForComponents(run, world.reactor)
    crawler.control = run.control
    run.control.explains = explaining(run, chosen)
    crawler.http = edge.http or NoSideCalls()  # type: ignore[assignment]  # both stand in for treq's client
    edge.again = run.fetch_more
    edge.ask_before_repeating(run.may_repeat)
    if chosen.store.takes:
        edge.ask_before_sending(chosen.store.may_send)
    if world.reactor is not None and making.settings.origin("REACTOR_THREADPOOL_MAXSIZE") != "default":
        world.reactor.suggestThreadPoolSize(core.REACTOR_THREADPOOL_MAXSIZE)  # else as whoever made the reactor has it
    limits = CloseSpiderLimits(core, world.clock, crawler.events, run.ending, crawler.stats)
    # A worker of several knows nothing of the others' items: who began the crawl looks at those.
    ends = [name for name in LIVE if name.startswith("CLOSESPIDER_") and not (plan.is_part and "_NO_ITEM" in name)]
    run.live.add(limits.update, *ends)
    run.live.add(lambda core: set_level(core.LOG_LEVEL), "LOG_LEVEL")
    making.extend()
    watched = Watched(
        spider=spider_of(crawler),
        settings=making.settings,
        job=chosen.job,
        events=crawler.events,
        stats=crawler.stats,
        world=world,
        control=run.control,
        view=run.view,
        keep=run.keep,
        kept=run.kept,
    )
    companions = Companions(watched, () if plan.is_part else KINDS)  # those of a worker's crawl are its starter's
    return PreparedCrawl(run, making, world, edge, chosen, companions)


def _edge(making: Making, world: World) -> Edge:
    core = making.settings.core
    pages: CacheFile | None = None
    if core.HTTPCACHE_ENABLED or core.SINCE is not None:
        pages = CacheFile(
            Path(core.HTTPCACHE_FILE),
            max_size=core.HTTPCACHE_MAX_SIZE,
            max_age=core.HTTPCACHE_EXPIRATION_SECS,
            wall=world.clock.wall,
        )
    return Edge(core, world, make=making.component, middlewares=making.middlewares(), pages=pages)


def _parts(
    making: Making,
    world: World,
    edge: Edge,
    chosen: ChosenStore,
    feeds: Sequence[Feed],
    second: SecondRun,
    anew: frozenset[str],
) -> Parts:
    core, crawler = making.settings.core, making.crawler
    spider = spider_of(crawler)
    kept = KeptErrors(crawler.events, world.clock.wall)
    return Parts(
        spider=spider,
        start=making.start(spider),
        core=core,
        job=chosen.job,
        store=chosen.store,
        feeds=feeds,
        stages=making.stages(),
        events=crawler.events,
        machine=world.machine,
        edge=edge,
        rules=making.rules(spider),
        acceptance=making.acceptance(spider),
        robots_agent=core.ROBOTSTXT_USER_AGENT or core.USER_AGENT,
        stats=crawler.stats,
        start_marks=making.start_marks(),
        memory=crawler.memory,
        memory_changes=crawler.memory_changes,
        facts=[StatsFacts(crawler.stats), SpiderState(spider, shared=chosen.store.takes), kept, *edge.facts],
        known=second.known,
        item_keys=item_keys(core) if second.keyed else None,
        around=making.around(),
        opened=making.opened(),
        closed=making.closed(),
        anew=anew,
    )


__all__ = [
    "PreparedCrawl", "World", "crawl", "feeds_of_crawl", "place_feeds", "prepare", "real_world", "run_logged"
]  # fmt: skip
