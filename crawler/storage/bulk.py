"""How are many rows written without handing the interpreter over for each of them?

Python's sqlite3 lets other threads run during every step of a statement, so a statement carried out once
for each row (``executemany``) makes a busy reactor and the store's thread take turns row by row: that
costs more than the writing. Here one statement takes many rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

SINGLE, MOST = 32, 256
"""Up to SINGLE rows go into one statement; more are cut into powers of two up to MOST, so that there are few
different statements and all of them stay prepared."""

CHUNK = 1024
"""Numbers asked for in one statement."""


def write(sql: sqlite3.Connection, before: str, rows: Sequence[tuple[Any, ...]], after: str = "") -> None:
    """Carry out ``before VALUES (…), (…) after`` for all rows, in order; they have equally many columns."""
    at = 0
    while at < len(rows):
        left = len(rows) - at
        size = left if left <= SINGLE else min(1 << left.bit_length() - 1, MOST)
        statement = _statement(before, size, len(rows[0]), after)
        sql.execute(statement, list(chain.from_iterable(rows[at : at + size])))
        at += size


def chunks(numbers: Sequence[int]) -> Iterator[tuple[list[int], str]]:
    """Cut numbers into parts for ``IN (…)``: yields each part and its place-holders, in few different sizes.

    A part is filled up with its last number.
    """
    for start in range(0, len(numbers), CHUNK):
        chunk = list(numbers[start : start + CHUNK])
        size = 1 << (len(chunk) - 1).bit_length()
        chunk += chunk[-1:] * (size - len(chunk))
        yield chunk, ",".join("?" * size)


@lru_cache(maxsize=512)
def _statement(before: str, size: int, width: int, after: str) -> str:
    row = f"({','.join('?' * width)})"
    return f"{before} VALUES {','.join([row] * size)} {after}"
