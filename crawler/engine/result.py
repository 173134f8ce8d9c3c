"""How did the crawl go, and is that a success?"""

from __future__ import annotations

import os

from crawler.engine.crawl import Crawl
from crawler.engine.ending import EXCEEDED, FAILURES, LATE
from crawler.model.masking import masked
from crawler.summary import FeedSummary, Summary

STOPPED_BY_HAND = frozenset({"shutdown"})


def summarise(crawl: Crawl, *, started: float, finished: float, seconds: float) -> Summary:
    """Return the Summary of a crawl that is over; times are wall-clock, ``seconds`` is its duration."""
    stats = crawl.parts.stats
    values = stats.get_stats()
    return Summary(
        spider=crawl.parts.spider.name,
        job=crawl.parts.job,
        reason=crawl.ending.reason,
        exit_status=exit_status(crawl),
        started=started,
        finished=finished,
        seconds=seconds,
        pages=int(values.get("response_received_count", 0)),
        items=int(values.get("item_scraped_count", 0)),
        unfinished_items=crawl.unfinished_items,
        errors=crawl.errors,
        queued=crawl.left,
        resumable=crawl.parts.store.durable and not crawl.complete,
        feeds=[FeedSummary(path=path, items=items) for path, items in crawl.feeds],
        slow=crawl.slowest(),
        problems=list(map(masked, crawl.ending.problems)),
        stats=values,
    )


def exit_status(crawl: Crawl) -> int:
    """Return 0, 1 or 130 by the rule of FAIL_ON. A CLOSESPIDER_* limit is a 0. 75: another worker goes on."""
    if crawl.ending.reason == LATE or (crawl.ending.reason == EXCEEDED and crawl.parts.store.takes):
        return os.EX_TEMPFAIL
    if crawl.ending.reason in STOPPED_BY_HAND:
        return 130
    if crawl.ending.problems or crawl.ending.reason in FAILURES:
        return 1
    rule = set(crawl.parts.core.FAIL_ON)
    nothing_accepted = crawl.books.accepted == 0 and crawl.books.refused > 0
    failed, answered = crawl.books.ended["failed"], crawl.books.ended["answered"]
    failures = {
        "start": crawl.ending.start_failed,
        "callback": crawl.ending.failures > 0,
        "downloads": answered == 0 and (failed > 0 or nothing_accepted),
        "any-download": failed > 0,
        "item": crawl.ending.lost_items > 0,
    }
    return int(any(failures.get(name, False) for name in rule))
