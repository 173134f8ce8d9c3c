"""Which rows stand for the names of hosts and origins?"""

from __future__ import annotations

import sqlite3

REMEMBERED = 50_000
"""Hosts and origins whose row numbers are kept in memory."""


class Names:
    """The numbers of hosts and origins. Belongs to the store's thread."""

    def __init__(self) -> None:
        self._hosts: dict[str, int] = {}
        self._origins: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"<Names of {len(self._hosts)} hosts and {len(self._origins)} origins>"

    def forget(self) -> None:
        """Remember none: rows that were made in a transaction that was undone are not there."""
        self._hosts.clear()
        self._origins.clear()

    def bound(self) -> None:
        """Remember none if there are many."""
        if len(self._hosts) > REMEMBERED or len(self._origins) > REMEMBERED:
            self.forget()

    def host(self, sql: sqlite3.Connection, name: str) -> int:
        """Return the number of a host, making its row."""
        number = self._hosts.get(name)
        if number is None:
            sql.execute("INSERT OR IGNORE INTO hosts (name, queued) VALUES (?, 0)", (name,))
            number = sql.execute("SELECT id FROM hosts WHERE name = ?", (name,)).fetchone()[0]
            self._hosts[name] = number
        return number

    def origin(self, sql: sqlite3.Connection, name: str) -> int:
        """Return the number of an origin, making its row."""
        number = self._origins.get(name)
        if number is None:
            sql.execute("INSERT OR IGNORE INTO origins (name) VALUES (?)", (name,))
            number = sql.execute("SELECT id FROM origins WHERE name = ?", (name,)).fetchone()[0]
            self._origins[name] = number
        return number
