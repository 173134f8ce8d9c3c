"""How do the feeds of a killed job become valid files, without going on with its crawl?

What was committed and not yet written is written, and each file gets its trailer. The job can be
resumed all the same: its feeds then go on where they were closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from twisted.internet.defer import Deferred

from crawler.assembly import World, feeds_of_crawl, place_feeds, real_world
from crawler.assembly.job import JobPlan, begun_of, choose_store
from crawler.assembly.making import make
from crawler.assembly.second_run import SecondRun, with_digests
from crawler.commands.finding import is_file
from crawler.commands.reactor import install_reactor, run_reactor
from crawler.config.settings import Settings
from crawler.engine.ending import Ending
from crawler.engine.frames import message_of
from crawler.engine.items.feed_writers import FeedWriters
from crawler.engine.life import Capacity, Life
from crawler.events import Events, ItemFailed
from crawler.spider import Spider, spider_of
from crawler.storage.jobs import Job


def close_job(
    job: Job, spider_class: type[Spider], settings: Settings, arguments: Mapping[str, Any]
) -> list[tuple[str, int]]:
    """Close the feeds of a job; return the path of each and how many items it has.

    Raises JobInUse while a process works on the job, OutputError and FeedError.
    """
    if not is_file(job):
        from crawler.commands.cluster.closing import close_shared

        return close_shared(job, spider_class, settings, arguments, _say_lost)
    reactor = install_reactor()
    making = make(spider_class, settings, arguments)
    settings, spider = making.settings, spider_of(making.crawler)
    return run_reactor(reactor, lambda: Deferred.fromCoroutine(_close(job, spider, settings, real_world(reactor))))


async def _close(job: Job, spider: Spider, settings: Settings, world: World) -> list[tuple[str, int]]:
    plan = JobPlan(resume=job.name)
    chosen = choose_store(settings, spider, plan=plan, reactor=world.reactor, wall=world.clock.wall())
    feeds = place_feeds(feeds_of_crawl(settings, spider, begun_of(job)), job.path.parent, job.name)
    feeds = with_digests(feeds, settings.core, job.path, SecondRun())
    events = Events()
    events.subscribe(ItemFailed, _say_lost)
    ending = _Ending(Life(Capacity(0, 0, 0)), events)
    writers = FeedWriters(feeds, chosen.store, machine=world.machine, ending=ending, events=events)
    resumed = await chosen.store.open()
    try:
        await chosen.store.feeds(writers.names)
        await writers.open(resumed.feed_marks, resumed.items)
        counts = await writers.close(finished=False)
    finally:
        await chosen.store.finish(ended=False, reason="closed")
    if ending.error is not None:
        raise ending.error
    return counts


def _say_lost(lost: ItemFailed) -> None:
    click.echo(f"{lost.stage} lost an item: {message_of(lost.error)}", err=True)


class _Ending(Ending):
    """Keeps the first error for whoever closes the job."""

    error: BaseException | None = None

    def fail(self, error: BaseException) -> None:
        """Nothing goes on that could be stopped."""
        self.error = self.error or error
