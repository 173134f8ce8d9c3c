"""How is a crawl of many workers made ready: its server, its job, its feeds and its workers?

Everything that can be wrong is found before anything starts, but for what only a worker meets.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from twisted.internet.defer import Deferred

from crawler.assembly import World, real_world
from crawler.assembly.companions import Watched
from crawler.assembly.job import ItemCodec, JobPlan
from crawler.assembly.making import Making, make
from crawler.assembly.rules import checked_fingerprint
from crawler.assembly.second_run import Command, SecondRun, second_run
from crawler.commands.cluster.control import ClusterControl, Explains
from crawler.commands.cluster.feeds import FeedsAnew, WholeFeeds
from crawler.commands.cluster.ground import Ground, take_ground
from crawler.commands.cluster.looking import ServerReader, explained
from crawler.commands.cluster.parts import Instructions, environment_for, source_hash
from crawler.commands.cluster.relaying import Relay
from crawler.commands.cluster.supervisor import Supervisor
from crawler.commands.cluster.totals import WorkerRates
from crawler.commands.cluster.watching import Watching
from crawler.commands.cluster.whole import WholeCrawl
from crawler.commands.loading import usual_folder
from crawler.commands.options import RunOptions, remember
from crawler.commands.running import run_prepared
from crawler.commands.screen import Screen
from crawler.config.schema import CoreSettings
from crawler.config.settings import Settings
from crawler.engine.deciding.acceptance import Acceptance
from crawler.engine.steering.live import LiveSettings
from crawler.model.request import Request
from crawler.spider import Spider, spider_of
from crawler.storage.cluster.line import Line
from crawler.storage.cluster.outbox import ServerOutbox

if TYPE_CHECKING:
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor


def run_cluster(
    spider_class: type[Spider],
    settings: Settings,
    options: RunOptions,
    *,
    file: str | None,
    resume: str | None = None,
    usual: Path | None = None,
) -> int:
    """Run a crawl of many workers to its end; return the exit status. Raises UsageError before anything starts.

    The arguments are those of run_spider.
    """
    usual = usual or usual_folder()
    screen = _Screen(settings.core)
    anew = frozenset(options.settings) if options.anew is None else options.anew
    plan = JobPlan(resume=resume, usual=usual, typed=options.settings, anew=anew)
    start = _Start(spider_class, settings, options, file, plan, screen)

    def prepared(reactor: AsyncioSelectorReactor) -> WholeCrawl:
        return start.prepared(real_world(reactor))

    return run_prepared(prepared, settings, summary_file=options.summary, screen=screen)


class _Screen(Screen):
    """Shows the rates of the workers, too, if there are any to be shown."""

    rates: WorkerRates | None = None

    def beside(self) -> str:
        """See Screen."""
        return "" if self.rates is None else self.rates.shown()


@dataclass(frozen=True, slots=True)
class _Start:
    """What a crawl is started with."""

    spider_class: type[Spider]
    settings: Settings
    options: RunOptions
    file: str | None
    plan: JobPlan
    screen: _Screen

    def prepared(self, world: World) -> WholeCrawl:
        """Make the crawl. Raises UsageError; leaves nothing of a new job then."""
        making = make(self.spider_class, self.settings, self.options.arguments)
        settings, spider = making.settings, spider_of(making.crawler)
        wall = world.clock.wall()
        about = remember(spider.name, self.options, file=self.file)
        fingerprint = checked_fingerprint(settings.core.FINGERPRINT)
        second = second_run(settings.core, Command.of(spider.name, about), fingerprint)
        ground = take_ground(settings.core, about, self.plan, wall=wall)
        try:
            return self._crawl(world, making, ground, second)
        except BaseException:
            ground.abandon()
            raise

    def _crawl(self, world: World, making: Making, ground: Ground, second: SecondRun) -> WholeCrawl:
        settings, core, crawler = making.settings, making.settings.core, making.crawler
        spider = spider_of(crawler)
        assert world.reactor is not None
        line = Line(world.reactor, ground.connection, ground.key)
        relay = Relay(core, self.screen)
        crawl = WholeCrawl(spider, core, world, ground, line, relay, crawler.events)
        if self.options.verbose:
            crawl.verbose = True
            self.screen.rates = crawl.rates
        crawl.go_on = self.plan.command(f"resume {ground.job.name}", core)
        crawl.feeds = WholeFeeds(
            FeedsAnew(settings, spider, ground.job, second).check(),
            ServerOutbox(line, ItemCodec(spider)),
            machine=world.machine,
            events=crawler.events,
        )
        crawl.feeds.broken.addCallback(crawl.failed)
        crawl.live = LiveSettings(core, world.clock, crawler.events, None, anew=self.plan.anew)
        crawl.watching = _watching(crawl, line, world, making, ground)
        source = source_hash(type(spider))
        ground.connection.command("SET", f"{ground.key}:source", source)  # which workers elsewhere must have, too
        instructions = Instructions(spider.name, self.file, self.options.arguments, self.options.settings, source)
        crawl.supervisor = Supervisor(
            world.reactor,
            [f"w{number}" for number in range(1, (self.options.workers or 1) + 1)],
            instructions=msgspec.json.encode(instructions),
            environment=environment_for(ground.address),
            whose=crawl,
        )
        return crawl


def _watching(crawl: WholeCrawl, line: Line, world: World, making: Making, ground: Ground) -> Watching:
    """Return what runs beside the crawl, with what may be done to it."""
    core, spider = making.settings.core, spider_of(making.crawler)
    acceptance = making.acceptance(spider)
    control = ClusterControl(
        crawl,
        line,
        world.clock,
        acceptance=acceptance,
        codec=ItemCodec(spider),
        newest=core.QUEUE_ORDER == "newest",
        explains=_explains(core, acceptance, world, ground),
    )
    watched = Watched(
        spider=spider,
        settings=making.settings,
        job=crawl.job,
        events=crawl.events,
        stats=crawl.stats,
        world=world,
        control=control,
        go_on=crawl.go_on,
    )
    return Watching(watched, line, ServerReader(ground.jobs, crawl.job), crawl.feeds, control)


def _explains(core: CoreSettings, acceptance: Acceptance, world: World, ground: Ground) -> Explains:
    """Return what tells what the job knows of a URL: its records are gone through in a thread, by a connection of its
    own."""

    def explains(request: Request) -> Deferred[list[str]]:
        pool = world.machine.pools("explain", 1)
        lines = pool.run(explained, request, core, acceptance, ground.address, ground.job.name)
        return lines.addBoth(lambda result: pool.stop().addCallback(lambda _: result))

    return explains
