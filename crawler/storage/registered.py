"""Which fingerprints has a job registered, and how do millions of them get in cheaply?

Fingerprints are random: put one by one into a tree of millions, each would rewrite a page of its own with
every commit. So new ones go to the end of the table ``fresh`` and into a set in memory, and when there are
many they move into the tree ``seen`` at once, in order, several to a page. A resume reads ``fresh`` back,
which is bounded; the tree is never loaded.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from itertools import islice

from crawler.storage.bulk import chunks, write

FRESH_MOST = 200_000
"""So many wait outside the tree: some 16 MB, and a second's work to move them into a tree of five million."""


class Registered:
    """The registered (signed) fingerprints of one job file. Belongs to the store's thread."""

    def __init__(self, *, most: int = FRESH_MOST) -> None:
        self._fresh: set[int] = set()
        self._most = most
        self._due = most

    def __repr__(self) -> str:
        return f"<Registered, {len(self._fresh)} of them fresh>"

    def load(self, sql: sqlite3.Connection) -> None:
        """Read what an earlier run left outside the tree."""
        self._fresh = {fingerprint for (fingerprint,) in sql.execute("SELECT fingerprint FROM fresh")}

    def known(self, sql: sqlite3.Connection, fingerprints: Sequence[int]) -> set[int]:
        """Return which of these are registered."""
        found = self._fresh.intersection(fingerprints)
        # One row for all: each row of a result is a step in which other threads run.
        for numbers, places in chunks([each for each in fingerprints if each not in found]):
            select = f"SELECT group_concat(fingerprint) FROM seen WHERE fingerprint IN ({places})"
            together = sql.execute(select, numbers).fetchone()[0]
            if together:
                found.update(map(int, together.split(",")))
        return found

    @staticmethod
    def write(sql: sqlite3.Connection, new: Mapping[int, int]) -> None:
        """Write new fingerprints and the tokens that registered them, in the caller's transaction."""
        rows = iter(new.items())
        while some := list(islice(rows, 10_000)):
            write(sql, "INSERT INTO fresh", some)

    @staticmethod
    def spill(sql: sqlite3.Connection, new: Mapping[int, int]) -> None:
        """Write new fingerprints into the tree at once, in the caller's transaction, which finds them there."""
        write(sql, "INSERT OR IGNORE INTO seen", [(fingerprint, new[fingerprint]) for fingerprint in sorted(new)])

    def written(self, new: Mapping[int, int]) -> None:
        """Their transaction has gone through."""
        self._fresh.update(new)

    @property
    def due(self) -> bool:
        """Whether it is time to move the fresh ones into the tree."""
        return len(self._fresh) >= self._due

    def merge(self, sql: sqlite3.Connection) -> None:
        """Move the fresh ones into the tree; in a transaction that the caller makes."""
        self._due = len(self._fresh) + self._most  # a merge that fails is not tried again at once
        sql.execute("INSERT OR IGNORE INTO seen SELECT fingerprint, token FROM fresh ORDER BY fingerprint")
        sql.execute("DELETE FROM fresh")

    def merged(self) -> None:
        """The merge's transaction has gone through."""
        self._fresh.clear()
        self._due = self._most
