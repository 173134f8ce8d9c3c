"""How do dates and times become plain parts, and come back with their time zone and fold?"""

from __future__ import annotations

import datetime
import zoneinfo
from typing import Any

from crawler.storage.shapes import CannotStore


def zone_parts(zone: datetime.tzinfo | None) -> str | list[int] | None:
    """Return a time zone as None, its name, or [days, seconds, microseconds]; raises CannotStore."""
    if zone is None:
        return None
    if type(zone) is datetime.timezone:
        offset = zone.utcoffset(None)
        return [offset.days, offset.seconds, offset.microseconds]
    if type(zone) is zoneinfo.ZoneInfo and zone.key:
        return zone.key
    raise CannotStore(f"no stored form for a time zone of {type(zone).__module__}.{type(zone).__qualname__}")


def _zone(parts: str | list[int] | None) -> datetime.tzinfo | None:
    if parts is None:
        return None
    return zoneinfo.ZoneInfo(parts) if isinstance(parts, str) else datetime.timezone(datetime.timedelta(*parts))


def datetime_parts(v: datetime.datetime) -> list[Any]:
    """Return [year, …, microsecond, fold, zone parts]; raises CannotStore for a zone of a foreign class."""
    zone = zone_parts(v.tzinfo)
    return [v.year, v.month, v.day, v.hour, v.minute, v.second, v.microsecond, v.fold, zone]


def time_parts(v: datetime.time) -> list[Any]:
    """Return [hour, minute, second, microsecond, fold, zone parts]; raises CannotStore for a foreign zone."""
    return [v.hour, v.minute, v.second, v.microsecond, v.fold, zone_parts(v.tzinfo)]


def make_datetime(parts: list[Any]) -> datetime.datetime:
    """Make the datetime of ``datetime_parts`` again; raises ValueError or TypeError for other parts."""
    year, month, day, hour, minute, second, microsecond, fold, zone = parts
    return datetime.datetime(year, month, day, hour, minute, second, microsecond, tzinfo=_zone(zone), fold=fold)


def make_time(parts: list[Any]) -> datetime.time:
    """Make the time of ``time_parts`` again; raises ValueError or TypeError for other parts."""
    hour, minute, second, microsecond, fold, zone = parts
    return datetime.time(hour, minute, second, microsecond, tzinfo=_zone(zone), fold=fold)
