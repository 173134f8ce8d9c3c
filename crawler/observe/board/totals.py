"""What has there been in all, by the stats?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crawler.observe.board.shown import Totals

_ERRORS = ("spider_exceptions/count", "request_failed_count", "item_failed_count")
_FORBIDDEN, _DROPPED = "robotstxt/forbidden", "request_dropped/"


def totals_in(stats: Mapping[str, Any], *, queued: int = 0, in_flight: int = 0, hosts: int = 0) -> Totals:
    """Return the totals that stats of Scrapy's names have, and what is there now beside them."""

    def number(name: str) -> int:
        value = stats.get(name, 0)
        return int(value) if isinstance(value, int | float) else 0  # a script may set any to anything

    dropped = sum(number(name) for name in stats if name.startswith(_DROPPED)) + number(_FORBIDDEN)
    return Totals(
        pages=number("response_received_count"),
        items=number("item_scraped_count"),
        bytes=number("downloader/response_bytes"),
        requests=number("downloader/request_count"),
        errors=sum(map(number, _ERRORS)),
        failed=number("request_failed_count"),
        dropped=dropped,
        retries=number("retry/count"),
        queued=queued,
        in_flight=in_flight,
        hosts=hosts,
    )
