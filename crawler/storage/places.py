"""Where does a request stand in its host's queue, if the newest is to go first?

The order of a queue is (priority, order): as found, ``order`` is the token, which only grows. Newest first, it is the
token's negative; but a request of start() keeps its place behind all others of its priority, as found (so do Scrapy
2.19's queues, which are LIFO but for start requests: SCHEDULER_MEMORY_QUEUE, SCHEDULER_START_MEMORY_QUEUE).

A row has one number to sort by, its rank: the priority's negative. Newest first, the order stands in its low bits, so
that the same index serves both.
"""

from __future__ import annotations

import sqlite3

from crawler.frontier.host import Entry
from crawler.storage.values import Values

ORDER = "order"
"""Under which a job keeps that the newest goes first: NEWEST; as found where there is nothing."""
NEWEST = "newest"

BITS = 33
_HALF = 1 << BITS - 1
"""Orders are smaller: four thousand million requests."""


def order_of(token: int, *, start: bool) -> int:
    """Return the order of a request, newest first."""
    return token if start else -token


def place(entry: Entry, *, start: bool) -> Entry:
    """Let a new entry stand where the newest does."""
    entry.order = order_of(entry.token, start=start)
    entry.key = (-entry.request.priority, entry.order)
    return entry


def pack(negative: int, order: int) -> int:
    """Return the rank of a priority's negative and an order."""
    return (negative << BITS) + order


def unpack(rank: int) -> tuple[int, int]:
    """Return the priority's negative and the order, of which a rank was made."""
    negative = rank + _HALF >> BITS
    return negative, rank - (negative << BITS)


def goes_newest_first(sql: sqlite3.Connection) -> bool:
    """Tell whether the newest goes first in a job file."""
    row = sql.execute("SELECT value FROM job WHERE name = ?", (ORDER,)).fetchone()
    return row is not None and Values().decode(row[0]) == NEWEST


def priority_of(rank: int, *, newest: bool) -> int:
    """Return the priority of a row."""
    return -(unpack(rank)[0] if newest else rank)
