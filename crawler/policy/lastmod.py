"""Does a kept page still hold, by what a sitemap says of its last change?

``<lastmod>`` is a W3C date (https://www.w3.org/TR/NOTE-datetime, as sitemaps.org asks): a year, a month, a day, or a
moment with its zone. It stands for the last moment that it may mean, in whatever zone: a page that was fetched on the
day that is named may have changed later on that day.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from crawler.policy.freshness import Kept, moment

_W3C = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?\s?(Z|[+-]\d\d:?\d\d)?)?)?)?", re.ASCII
).fullmatch
_FURTHEST_WEST = timedelta(hours=12)
"""Where a day ends last: in a zone twelve hours behind UTC."""


def still_holds(lastmod: object, answer: Kept) -> bool:
    """Tell whether a kept answer is younger than ``lastmod``: text, a datetime or a date. What says nothing is False.

    The answer is as old as its own Date says, if that is before it was asked for: clocks differ.
    """
    changed = latest_moment(lastmod)
    if changed is None:
        return False
    said = moment(answer.headers.get(b"Date"))
    return changed <= (answer.sent if said is None else min(answer.sent, said))


def latest_moment(lastmod: object) -> float | None:
    """Return the last moment that a date may mean, in seconds since the epoch; None for what is no date."""
    try:
        if isinstance(lastmod, datetime):
            return (lastmod if lastmod.tzinfo else lastmod.replace(tzinfo=UTC) + _FURTHEST_WEST).timestamp()
        if isinstance(lastmod, date):
            lastmod = lastmod.isoformat()
        if not isinstance(lastmod, str) or (found := _W3C(lastmod.strip())) is None:
            return None
        return _end(*found.groups()).timestamp()
    except (ValueError, OverflowError):  # the 31st of February, the year 9999
        return None


def _end(
    year: str, month: str | None, day: str | None, hour: str | None, minute: str, second: str | None, zone: str | None
) -> datetime:
    """Return the end of the span that is named: of the year, month, day, minute or second."""
    begin = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
    if month is None:
        return begin.replace(year=begin.year + 1) + _FURTHEST_WEST
    if day is None:
        return (begin + timedelta(days=31)).replace(day=1) + _FURTHEST_WEST
    if hour is None:
        return begin + timedelta(days=1) + _FURTHEST_WEST
    begin += timedelta(hours=int(hour), minutes=int(minute), seconds=int(second or 0))
    end = begin + (timedelta(minutes=1) if second is None else timedelta(seconds=1))
    if zone is None:
        return end + _FURTHEST_WEST
    if zone == "Z":
        return end
    away = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return end - away if zone[0] == "+" else end + away
