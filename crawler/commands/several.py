"""How do several spiders run at once in one process, each with a job and outputs of its own? ``crawler crawl A B``."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from twisted.internet.defer import DeferredList
from twisted.python.failure import Failure

from crawler.commands.apart import NAME
from crawler.commands.loading import chosen, usual_folder
from crawler.commands.options import RunOptions
from crawler.commands.running import prepare_spider, run_prepared
from crawler.commands.screen import Screen
from crawler.commands.together import Together
from crawler.config.settings import Settings
from crawler.errors import CrawlerError, UsageError
from crawler.events import CrawlOpened
from crawler.feeds.tables.address import is_database
from crawler.observe.frames import describe
from crawler.observe.progress import read
from crawler.observe.report import check_summary_file, write_summary
from crawler.spider import Spider
from crawler.stats import Named, Stats, summed
from crawler.summary import Summary

if TYPE_CHECKING:
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor

    from crawler.assembly import PreparedCrawl

logger = logging.getLogger("crawler")


class Given(NamedTuple):
    """One of the spiders, and what was typed, with its name where that was to be."""

    spider: type[Spider]
    settings: Settings
    options: RunOptions


def given_to(name: str, options: RunOptions) -> Given:
    """Return what a spider of the project has to run with. Raises UsageError."""
    typed = dict(options.settings)
    for setting in ("JOB_NAME", "WARC_FILE", "CHANGES_FILE"):  # feeds know the name by themselves
        if setting in typed:
            typed[setting] = str(typed[setting]).replace(NAME, name)
    summary = options.summary and options.summary.replace(NAME, name)
    own = options._replace(settings=typed, summary=summary)
    return Given(*chosen(name, typed, in_file=False), own)


def run_at_once(each: Sequence[Given]) -> int:
    """Run all; return the highest of their exit statuses. Raises UsageError before anything starts."""
    _check_apart(each)
    for one in each:
        if one.options.summary is not None:
            check_summary_file(one.options.summary)
    usual, screen = usual_folder(), _Tables(each[0].settings.core)

    def prepared(reactor: AsyncioSelectorReactor) -> _Several:
        crawls: list[PreparedCrawl] = []
        with _all_or_none(crawls):
            for spider, settings, options in each:
                crawls.append(prepare_spider(reactor, spider, settings, options, usual=usual))
        for warning in {warning for one in each[1:] for warning in one.settings.warnings}:
            if warning not in each[0].settings.warnings:
                logger.warning("%s", warning)
        screen.several = _Several(crawls)
        return screen.several

    status = run_prepared(prepared, each[0].settings, screen=screen)
    assert screen.several is not None
    for one, summary in zip(each, screen.several.summaries, strict=True):
        if one.options.summary is not None:
            write_summary(summary, one.options.summary)
    return status


def _check_apart(each: Sequence[Given]) -> None:
    """Raise UsageError for a spider that is given twice, and for what two of them would write both."""
    taken: dict[str, str] = {}
    names: set[str] = set()
    for one in each:
        core, name = one.settings.core, one.spider.name
        if name in names:
            raise UsageError(f"the spider {name} is given twice")
        names.add(name)
        written = {
            "--job": core.JOB_NAME,
            "--warc": core.WARC_FILE,
            "--changes": core.CHANGES_FILE,
            "--summary": one.options.summary,
        }
        places = [f"{option} {value}" for option, value in written.items() if value is not None]
        places += [f"the output {key}" for key in map(str, core.FEEDS) if NAME not in key and not is_database(key)]
        places += [f"{listens} for its status page" for listens in _listens(one.settings)]
        for place in places:
            if (other := taken.setdefault(place, name)) != name:
                hint = "" if place.endswith(" -") else f"; {NAME} in it stands for the spider's name"
                if place.endswith("status page"):
                    hint = "; `--status` alone gives each a port of its own"
                raise UsageError(f"{other} and {name} would both have {place}{hint}")


def _listens(settings: Settings) -> list[str]:
    core = settings.core
    if core.STATUS_ENABLED and core.STATUS_SOCKET:
        return [core.STATUS_SOCKET]
    return [f"port {core.STATUS_PORT}"] if core.STATUS_ENABLED and core.STATUS_PORT else []


@contextmanager
def _all_or_none(crawls: list[PreparedCrawl]) -> Iterator[None]:
    """Let nothing be left of new jobs if a crawl cannot be made."""
    try:
        yield
    except BaseException:
        for crawl in crawls:
            crawl.abandon()
        raise


class _Several(Together):
    """Crawls of which one that fails does not hide what came of the others."""

    def __init__(self, crawls: Sequence[PreparedCrawl]) -> None:
        super().__init__(crawls)
        self.stats = _Sum([crawl.stats for crawl in crawls])
        self.summaries: list[Summary] = []
        self.before = [0] * len(crawls)
        for place, crawl in enumerate(crawls):
            crawl.events.subscribe(CrawlOpened, partial(self._note, place))

    def _note(self, place: int, _: CrawlOpened) -> None:
        # A job that goes on has pages of its earlier runs.
        self.before[place] = read(self.crawls[place].stats, queued=0, seconds=0.0).pages

    async def _run(self) -> Summary:
        ended: Any = await DeferredList([crawl.run() for crawl in self.crawls], consumeErrors=True)
        for crawl, (_, result) in zip(self.crawls, ended, strict=True):
            self.summaries.append(_failed(crawl, result) if isinstance(result, Failure) else result)
        return max(self.summaries, key=lambda summary: summary.exit_status)


def _failed(crawl: PreparedCrawl, failure: Failure) -> Summary:
    spider, error = crawl.crawler.spider, failure.value
    name = spider.name if spider is not None else ""
    assert error is not None
    known = isinstance(error, CrawlerError)
    logger.error("The crawl of %s failed: %s", name, describe(error), exc_info=None if known else error)
    status = 2 if isinstance(error, UsageError) else 1
    return Summary(spider=name, job=crawl.job, reason="failed", exit_status=status, problems=[describe(error)])


class _Sum(Stats):
    """What several crawls have counted; what is counted here is counted in each."""

    def __init__(self, parts: Sequence[Stats]) -> None:
        super().__init__()
        self._parts = parts

    def get_value(self, key: str, default: Any = None, spider: Named | None = None) -> Any:
        """Return the sum of a counter."""
        found = [{key: part.get_value(key)} for part in self._parts if part.get_value(key) is not None]
        return summed(found, {}).get(key, default)

    def inc_value(self, key: str, count: int = 1, start: int = 0, spider: Named | None = None) -> None:
        """Add to a counter: lines of the log are those of the process."""
        for part in self._parts:
            part.inc_value(key, count, start)


class _Tables(Screen):
    """Shows the progress of all as one, and a table of each at the end."""

    several: _Several | None = None

    def summary(self, summary: Summary, *, go_on: str = "") -> None:
        """Print the tables."""
        assert self.several is not None
        for crawl, own, before in zip(self.several.crawls, self.several.summaries, self.several.before, strict=True):
            self._pages_before = before
            super().summary(own, go_on=crawl.go_on)
