"""Which feeds has a crawl, and where may they keep files of their own?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from crawler.assembly.components import simple_attributes
from crawler.assembly.job import Begun
from crawler.config.settings import Settings
from crawler.feeds import make_feeds
from crawler.feeds.seam import Feed
from crawler.spider import Spider
from crawler.storage.jobs import feeds_folder, make_folder


def feeds_of_crawl(settings: Settings, spider: Spider, since: Begun) -> Sequence[Feed]:
    """Return the feeds of a crawl that began then. Raises UsageError."""
    feeds = settings.core.FEEDS
    if since.append:
        feeds = {path: {**options, "overwrite": False} for path, options in feeds.items()}
    return make_feeds(
        feeds,
        settings.core,
        spider_name=spider.name,
        started=datetime.fromtimestamp(since.at, UTC),
        attributes=simple_attributes(spider),
        declared=settings.of,
        spider=spider,
    )


def place_feeds(feeds: Sequence[Feed], jobs: Path, name: str) -> Sequence[Feed]:
    """Tell feeds of a job where they may keep files of their own, in the folder of jobs; return them.

    Raises StoreError if there can be no such folder.
    """
    for feed in feeds:
        place = getattr(feed, "place", None)
        if place is not None:
            place(feeds_folder(make_folder(jobs), name))
    return feeds
