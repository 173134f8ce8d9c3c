"""What of a spider may a feed's path name?"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import Any
from uuid import UUID

from crawler.spider import Spider

_SIMPLE = (str, int, float, Decimal, date, UUID, Enum, NoneType)


def simple_attributes(spider: Spider) -> dict[str, Any]:
    """Return what a feed's path may name: text, numbers and dates, of the object and of its classes."""
    classes = [kind for kind in reversed(type(spider).__mro__) if not issubclass(Spider, kind)]
    found: dict[str, Any] = {}
    for owner in (*classes, spider):
        found |= {name: value for name, value in vars(owner).items() if not name.startswith("_")}
    return {name: value for name, value in found.items() if isinstance(value, _SIMPLE)}
