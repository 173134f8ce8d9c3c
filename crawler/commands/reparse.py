"""What does a spider find in pages that were archived? ``crawler reparse FILE.warc.gz SPIDER``.

The crawl runs as ever, from start() on, but for the network: an archive of --warc answers in its place.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import click

from crawler.commands.item_diff import Item, Kept, difference, read_items, report
from crawler.commands.loading import chosen
from crawler.commands.options import BY_ITSELF, Given, RunOptions, run_options, running_options
from crawler.commands.showing import say
from crawler.config.settings import OnlyFeeds, Settings
from crawler.errors import UsageError
from crawler.events import ItemScraped
from crawler.spider import Spider

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase

    from crawler.assembly import PreparedCrawl
    from crawler.download.archive.reading import ArchiveDownloader

_OFFLINE: dict[str, Any] = {
    # Nothing to be polite to, nothing that another try would change, nothing else to ask.
    "DOWNLOAD_DELAY": 0,
    "DOWNLOAD_SLOTS": {},
    "ROBOTSTXT_OBEY": False,
    "RETRY_ENABLED": False,
    "THROTTLE_ENABLED": False,
    "HTTPCACHE_ENABLED": False,
    "HTTPPROXY_ENABLED": False,
    "PROXIES": [],
    "SESSIONS": 0,
    "SCHEMES": {},
    "WARC_FILE": None,
    "JOB_STORE": None,
    **BY_ITSELF,
}


@click.command()
@click.argument("archive", metavar="FILE")
@click.argument("spider")
@click.option("--diff", metavar="OLD", help="Show which items are other than in this JSON Lines file.")
@click.option(
    "--key", metavar="FIELD", help="With --diff: the field that names an item; found by itself if there is one."
)
@running_options
def command(archive: str, spider: str, diff: str | None, key: str | None, **given: Unpack[Given]) -> int:
    """Run SPIDER (of the project, or FILE.py) over the pages of a WARC file, without the network.

    Give the -a of the crawl that was archived. What is not in the archive fails as NotInCache. Items go
    where -o and -O say, and not where the setting FEEDS does.
    """
    path = Path(archive)
    if not path.is_file():
        raise UsageError(f"there is no archive {archive}")
    if key is not None and diff is None:
        raise UsageError("--key goes with --diff")
    old = read_items(Path(diff)) if diff is not None else None
    options = run_options(given)
    asked = options.settings.get("FEEDS", {})
    spider_class, settings = chosen(
        spider, options.settings | _OFFLINE | {"FEEDS": OnlyFeeds(asked)}, in_file=".py" in spider
    )
    new = Kept(settings.core.FEED_EXPORT_FIELDS) if old is not None else None
    status = _run(path, spider_class, settings, options, new)
    if old is not None and new is not None:
        _show(old, new.items, key=key, aside="-" in asked)
    return status


def _run(path: Path, spider_class: type[Spider], settings: Settings, options: RunOptions, kept: Kept | None) -> int:
    from crawler.assembly import prepare, real_world
    from crawler.commands.running import run_prepared
    from crawler.download.archive.reading import ArchiveDownloader

    made: list[ArchiveDownloader] = []

    def prepared(reactor: ReactorBase) -> PreparedCrawl:
        # Made here, when the log is there to take its warnings.
        archived = ArchiveDownloader(path, settings.core)
        if not len(archived):
            raise UsageError(f"there is no response in {path}: is it a WARC file?")
        made.append(archived)
        world = real_world(reactor)
        world.downloader = archived
        prepared = prepare(spider_class, settings, world=world, arguments=options.arguments)
        if kept is not None:
            prepared.events.subscribe(ItemScraped, kept.keep)
        return prepared

    status = run_prepared(prepared, settings, summary_file=options.summary)
    if not made[0].answered:
        begins = f"which begins with {made[0].first}; is an -a missing?"
        say(f"crawler: nothing that the spider asked for is in {path}, {begins}", err=True)
    return status


def _show(old: list[Item], new: list[Item], *, key: str | None, aside: bool) -> None:
    """Print the difference; on stderr if stdout is for items."""
    for line in report(difference(old, new, key=key)):
        say(line, err=aside)
