"""Which objects of a class are alive?"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from time import monotonic_ns
from types import NoneType
from typing import Any, Self
from weakref import WeakKeyDictionary

live_refs: WeakKeyDictionary[type, WeakKeyDictionary[object, int]] = WeakKeyDictionary()
"""Of each class its living objects, and when each was made, in nanoseconds.

Only objects of one's own classes are kept here: to note each request and response would cost every crawl.
"""


class object_ref:  # noqa: N801 - Scrapy's name
    """A base whose objects are noted while they live."""

    __slots__ = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Make and note one."""
        made = object.__new__(cls)
        live_refs.setdefault(cls, WeakKeyDictionary())[made] = monotonic_ns()
        return made


def format_live_refs(ignore: Any = NoneType) -> str:
    """Return how many of each class live, and since when the oldest does."""
    now, lines = monotonic_ns(), ["Live References", ""]
    for cls, noted in sorted(live_refs.items(), key=lambda pair: pair[0].__name__):
        if noted and not issubclass(cls, ignore):
            oldest = (now - min(noted.values())) // 1_000_000_000
            lines.append(f"{cls.__name__:<30} {len(noted):6}   oldest: {oldest}s ago")
    return "\n".join([*lines, ""])


def print_live_refs(*args: Any, **kwargs: Any) -> None:
    """Print the table."""
    print(format_live_refs(*args, **kwargs))


def _of(class_name: str) -> WeakKeyDictionary[object, int]:
    found = (noted for cls, noted in live_refs.items() if cls.__name__ == class_name)
    return next(found, WeakKeyDictionary())


def get_oldest(class_name: str) -> Any:
    """Return the oldest object of a class; None if none lives."""
    return min(_of(class_name).items(), key=itemgetter(1), default=(None, 0))[0]


def iter_all(class_name: str) -> Iterable[Any]:
    """Return all objects of a class."""
    return _of(class_name).keys()
