"""Which feeds has a crawl, and where may they keep files of their own?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from crawler.assembly.components import simple_attributes
from crawler.config.settings import Settings
from crawler.feeds import make_feeds
from crawler.feeds.seam import Feed
from crawler.spider import Spider
from crawler.storage.jobs import feeds_folder


def feeds_of_crawl(settings: Settings, spider: Spider, begun: float) -> Sequence[Feed]:
    """Return the feeds of a crawl that began at ``begun`` (seconds since the epoch). Raises UsageError."""
    return make_feeds(
        settings.core.FEEDS,
        settings.core,
        spider_name=spider.name,
        started=datetime.fromtimestamp(begun, UTC),
        attributes=simple_attributes(spider),
        declared=settings.of,
        spider=spider,
    )


def place_feeds(feeds: Sequence[Feed], jobs: Path, name: str) -> Sequence[Feed]:
    """Tell feeds of a job where they may keep files of their own, in the folder of jobs; return them."""
    for feed in feeds:
        place = getattr(feed, "place", None)
        if place is not None:
            place(feeds_folder(jobs, name))
    return feeds
