"""How do the feeds of a stopped job of many workers become valid files, without going on with its crawl?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred

from crawler.assembly import World, real_world
from crawler.assembly.job import ItemCodec, JobPlan
from crawler.assembly.making import make
from crawler.commands.cluster.feeds import FeedsAnew, WholeFeeds
from crawler.commands.cluster.ground import Ground, take_ground
from crawler.commands.reactor import install_reactor, run_reactor
from crawler.config.settings import Settings
from crawler.events import Events, ItemFailed
from crawler.spider import Spider, spider_of
from crawler.storage.cluster.line import Line
from crawler.storage.cluster.outbox import ServerOutbox
from crawler.storage.jobs import Job


def close_shared(
    job: Job,
    spider_class: type[Spider],
    settings: Settings,
    arguments: Mapping[str, Any],
    lost: Callable[[ItemFailed], None],
) -> list[tuple[str, int]]:
    """Close the feeds of a job; return the path of each and how many items it has. ``lost`` hears of lost items.

    Raises JobInUse while a process writes them, OutputError, FeedError and StoreError.
    """
    reactor = install_reactor()
    making = make(spider_class, settings, arguments)
    settings, spider = making.settings, spider_of(making.crawler)
    world = real_world(reactor)
    about = {"spider": spider.name}
    ground = take_ground(settings.core, about, JobPlan(resume=job.name), wall=world.clock.wall())
    try:
        return run_reactor(reactor, lambda: Deferred.fromCoroutine(_close(ground, spider, settings, world, lost)))
    finally:
        ground.end()


async def _close(
    ground: Ground, spider: Spider, settings: Settings, world: World, lost: Callable[[ItemFailed], None]
) -> list[tuple[str, int]]:
    assert world.reactor is not None
    line = Line(world.reactor, ground.connection, ground.key)
    events = Events()
    events.subscribe(ItemFailed, lost)
    errors: list[BaseException] = []
    feeds = WholeFeeds(
        FeedsAnew(settings, spider, ground.job),
        ServerOutbox(line, ItemCodec(spider)),
        machine=world.machine,
        events=events,
    )
    feeds.broken.addCallback(errors.append)
    try:
        await feeds.open()
        counts = await feeds.close(finished=False)
        await line.finish("closed")
        await line.run(ground.release)
    finally:
        line.close()
    if errors:
        raise errors[0]
    return counts
