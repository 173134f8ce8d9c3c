"""How do the tests make feeds and kill them? (readers.py reads what they wrote.)"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from crawler.config.schema import CoreSettings
from crawler.feeds import make_feeds

STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def feed_for(path: Any, options: dict[str, Any] | None = None, *, started: datetime = STARTED, **settings: Any) -> Any:
    """One feed, made as a crawl makes it."""
    (feed,) = make_feeds({str(path): options or {}}, CoreSettings(**settings), spider_name="books", started=started)
    return feed


def kill(feed: Any) -> None:
    """What SIGKILL does to a feed: its files are closed, and nothing more is written."""
    feed.let_go()


def write_all(path: Any, items: list[Any], options: dict[str, Any] | None = None, **settings: Any) -> Any:
    """A crawl without a job: open, write, close."""
    feed = feed_for(path, options, **settings)
    feed.check()
    feed.open(None, durable=False)
    feed.committed(feed.write(items, len(items)))
    feed.close(finished=True)
    return feed
