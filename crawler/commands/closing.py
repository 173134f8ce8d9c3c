"""How do the feeds of a killed job become valid files, without going on with its crawl?

What was committed and not yet written is written, and each file gets its trailer. The job can be
resumed all the same: its feeds then go on where they were closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from twisted.internet.defer import Deferred

from crawler.assembly import World, feeds_of_crawl, real_world
from crawler.assembly.components import make_spider
from crawler.assembly.job import JobPlan, choose_store
from crawler.commands.reactor import install_reactor, run_reactor
from crawler.config.settings import Settings
from crawler.engine.items.feed_writers import Outlet
from crawler.engine.user_code.frames import message_of
from crawler.events import Events
from crawler.spider import Crawler, Spider
from crawler.stats import Stats
from crawler.storage.jobs import Job


def close_job(
    job: Job, spider_class: type[Spider], settings: Settings, arguments: Mapping[str, Any]
) -> list[tuple[str, int]]:
    """Close the feeds of a job; return the path of each and how many items it has.

    Raises JobInUse while a process works on the job, OutputError and FeedError.
    """
    reactor = install_reactor()
    crawler = Crawler(settings=settings, stats=Stats(), events=Events())
    spider = make_spider(spider_class, crawler, arguments)
    counts: list[tuple[str, int]] = run_reactor(
        reactor, lambda: Deferred.fromCoroutine(_close(job, spider, settings, real_world(reactor)))
    )
    return counts


async def _close(job: Job, spider: Spider, settings: Settings, world: World) -> list[tuple[str, int]]:
    plan = JobPlan(resume=job.name)
    chosen = choose_store(settings, spider, plan=plan, reactor=world.reactor, wall=world.clock.wall())
    feeds = feeds_of_crawl(settings, spider, job.created)
    errors: list[Exception] = []
    outlet = Outlet(
        feeds,
        chosen.store,
        clock=world.clock,
        pools=world.pools,
        on_error=errors.append,
        on_lost=lambda feed, _, error: click.echo(f"the filter of {feed} lost an item: {message_of(error)}", err=True),
        on_room=lambda: None,
    )
    resumed = await chosen.store.open()
    try:
        await chosen.store.feeds(outlet.names)
        await outlet.open(resumed.feed_marks, resumed.items)
        counts = await outlet.close(finished=False)
    finally:
        await chosen.store.finish(ended=False, reason="closed")
    if errors:
        raise errors[0]
    return counts
