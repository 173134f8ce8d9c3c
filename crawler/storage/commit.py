"""How does one commit get into the job file, all or nothing?"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import compress
from typing import NamedTuple, TypeAlias

from crawler.errors import StoreError
from crawler.frontier.store import START
from crawler.storage import places, schema
from crawler.storage.bulk import write
from crawler.storage.group import Child, Group, Moved, Result, children_staged
from crawler.storage.jobfile import JobFile
from crawler.storage.names import Names

SPILL = 50_000
"""New fingerprints that one transaction holds in memory; more of them go into their tree at once."""

Staged: TypeAlias = dict[int, list[tuple[int | None]]]
"""The rows of the table ``staged`` that have the children of each unfinished unit, thousands of a page, in order."""


class Written(NamedTuple):
    """What became of one result: a token for each child (0: duplicate), and its first item's number; of the
    children that were staged, how many each host got and how many were duplicates."""

    tokens: list[int]
    first_item: int
    stored: dict[str, int] = {}
    duplicates: int = 0


# Goals: a commit is there whole or not at all, also after SIGKILL or a power cut, and so is what is in memory; it costs
# the same whether the job has a thousand requests or a hundred million.
#
# Plan: one transaction, by ``_Transaction``: what was postponed, then the results with their children and items, then
# the facts. It changes copies of what is in memory; ``Writer`` takes them over when it has gone through, and forgets
# the names that were numbered in one that has not.
#
# Known limits: one writer, in the store's thread; more than SPILL new fingerprints cost a look-up each.


class Writer:
    """Writes commits into a job file. Belongs to the store's thread."""

    def __init__(self, file: JobFile) -> None:
        self._file = file
        self._names = Names()
        self._staged: Staged = {}

    def __repr__(self) -> str:
        return f"<Writer of {self._file.path}>"

    def write(self, group: Group) -> list[Written]:
        """Write a commit in one transaction; raises StoreError and changes nothing."""
        with self._transaction() as transaction:
            written = transaction.run(group)
        self._file.counters = transaction.counters
        self._file.fingerprints.written(transaction.new)
        self._file.merge()
        for result in group.results:
            self._staged.pop(result.token, None)
        self._names.bound()
        return written

    def stage(self, unit: int, children: bytes) -> None:
        """Keep children of a request that is not finished until its commit, where nobody finds them."""
        with self._file.transaction() as sql:
            sql.execute("CREATE TABLE IF NOT EXISTS staged (id INTEGER PRIMARY KEY, children BLOB NOT NULL)")
            row = sql.execute("INSERT INTO staged (children) VALUES (?)", (children,)).lastrowid
        self._staged.setdefault(unit, []).append((row,))

    def redirect(self, moved: Moved, fingerprint: int) -> bool:
        """Register a signed fingerprint and move the request to its new URL if it is new."""
        with self._transaction() as transaction:
            if self._file.registered([fingerprint]):
                return False
            transaction.new[fingerprint] = moved.token
            transaction.run(Group([moved], [], []))
        self._file.fingerprints.written(transaction.new)
        return True

    @contextmanager
    def _transaction(self) -> Iterator[_Transaction]:
        try:
            with self._file.transaction() as sql:
                yield _Transaction(self._names, self._file, sql, self._staged)
        except BaseException:
            self._names.forget()
            raise


class _Transaction:
    """The work of one commit, inside its transaction."""

    def __init__(self, names: Names, file: JobFile, sql: sqlite3.Connection, staged: Staged) -> None:
        self._names = names
        self._file = file
        self._sql = sql
        self._staged = staged
        self._queued: Counter[int] = Counter()
        self._spilled = False
        self._requests: list[tuple[object, ...]] = []
        self.new: dict[int, int] = {}
        self._items: list[tuple[int, bytes]] = []
        self._memory: dict[tuple[str, str, bytes], bytes | None] = {}
        self.counters = file.counters

    def run(self, group: Group) -> list[Written]:
        """Write everything of a group, in order."""
        for moved in group.moved:
            self._move(moved)
        ended = [result for result in group.results if result.token != START]
        if ended:
            self._finish(ended)
        offered = [child.fingerprint for result in group.results for child in result.children]
        offered += [fingerprint for result in group.results for fingerprint in result.fingerprints]
        known = self._file.registered(offered)
        written = [self._result(result, known) for result in group.results]
        sql = self._sql
        write(sql, _INSERT_REQUESTS, self._requests)
        self._file.fingerprints.write(sql, self.new)
        if self._file.feeds:
            write(sql, "INSERT INTO items", self._items)
        write(sql, "INSERT OR REPLACE INTO facts", [fact for fact in group.facts if fact[1] is not None])
        sql.executemany("DELETE FROM facts WHERE name = ?", [(name,) for name, value in group.facts if value is None])
        kept = [(*place, value) for place, value in self._memory.items() if value is not None]
        write(sql, "INSERT OR REPLACE INTO memory", kept)
        for place in (place for place, value in self._memory.items() if value is None):
            sql.execute("DELETE FROM memory WHERE stage = ? AND name = ? AND key = ?", place)
        changes = [(host, change) for host, change in sorted(self._queued.items()) if change]
        write(sql, "UPDATE hosts SET queued = queued + v.column2 FROM (", changes, ") AS v WHERE id = v.column1")
        sql.execute(_UPDATE_COUNTERS, (*self.counters, time.time()))
        return written

    def _move(self, moved: Moved) -> None:
        """Change the row of a request that will be sent again."""
        sql = self._sql
        row = sql.execute("SELECT host, rank FROM requests WHERE token = ? AND state = 0", (moved.token,)).fetchone()
        if row is None:
            raise StoreError(f"request {moved.token} cannot be postponed: it is not open in {self._file.path}")
        host = self._names.host(sql, moved.host)
        origin = self._names.origin(sql, moved.origin)
        if row[0] != host:
            self._queued[row[0]] -= 1
            self._queued[host] += 1
        rank = places.pack(moved.rank, places.unpack(row[1])[1]) if self._file.newest else moved.rank
        sql.execute(_MOVE, (host, rank, origin, moved.url, moved.body, moved.not_before, moved.token))
        if moved.attempts is not None:
            sql.execute("INSERT INTO attempts VALUES (?, ?)", (moved.token, moved.attempts))

    def _result(self, result: Result, known: set[int]) -> Written:
        if self._spilled:
            known |= self._file.registered(result.fingerprints)
        for fingerprint in result.fingerprints:
            if fingerprint not in known:
                known.add(fingerprint)
                self.new[fingerprint] = result.token
        stored, duplicates = self._admit_staged(result.token)
        if self._spilled:  # what ``known`` was asked for before
            known |= self._file.registered([child.fingerprint for child in result.children])
        tokens = self._admit(result.children, result.token, known)
        first_item = self.counters.items + 1
        self._items += enumerate(result.items, first_item)
        self.counters = self.counters._replace(items=self.counters.items + len(result.items))
        for stage, name, key, value, *_ in result.memory:
            self._memory[stage, name, key] = value
        if result.refusals:
            write(self._sql, "INSERT INTO refusals", result.refusals)
        if result.token == START:
            self._note_start(result)
        return Written(tokens, first_item, stored, duplicates)

    def _finish(self, results: Sequence[Result]) -> None:
        """Mark requests done; their rows keep what `crawler explain` tells."""
        tokens = [result.token for result in results]
        hosts = self._file.open_hosts(tokens)
        if sum(hosts.values()) < len(tokens):
            raise StoreError(f"requests cannot be finished, some of {sorted(tokens)}: not open in {self._file.path}")
        self._queued.subtract(hosts)
        write(self._sql, _FINISH, [_finished_row(result) for result in results], _FINISH_WHERE)
        self.counters = self.counters._replace(done=self.counters.done + len(tokens))

    def _admit_staged(self, unit: int) -> tuple[dict[str, int], int]:
        """Make requests of a unit's staged children; return how many each host got, and how many were duplicates."""
        sql, staged = self._sql, self._staged.get(unit, ())
        stored: Counter[str] = Counter()
        duplicates = 0
        if not staged:
            return stored, duplicates
        for row in staged:  # some at once: all of them may not fit into memory
            children = children_staged(sql.execute("SELECT children FROM staged WHERE id = ?", row).fetchone()[0])
            tokens = self._admit(children, unit, self._file.registered([child.fingerprint for child in children]))
            stored.update(compress([child.host for child in children], tokens))
            duplicates += tokens.count(0)
            write(sql, _INSERT_REQUESTS, self._requests)
            self._requests.clear()
            if len(self.new) >= SPILL:
                self._file.fingerprints.spill(sql, self.new)
                self.new.clear()
                self._spilled = True
        sql.executemany("DELETE FROM staged WHERE id = ?", staged)
        return stored, duplicates

    def _admit(self, children: Sequence[Child], parent: int, known: set[int]) -> list[int]:
        """Give each new child a token and a row; 0 for a duplicate."""
        tokens: list[int] = []
        token = self.counters.tokens
        for child in children:
            if child.fingerprint in known or child.fingerprint in self.new:
                if child.check:
                    tokens.append(0)
                    continue
            else:
                self.new[child.fingerprint] = token + 1
            token += 1
            tokens.append(token)
            self._requests.append(self._row(child, token, parent))
        if token != self.counters.tokens:
            self.counters = self.counters._replace(tokens=token)
        return tokens

    def _row(self, child: Child, token: int, parent: int) -> tuple[object, ...]:
        host = self._names.host(self._sql, child.host)
        origin = self._names.origin(self._sql, child.origin)
        self._queued[host] += 1
        rank = child.rank
        if self._file.newest:
            rank = places.pack(rank, places.order_of(token, start=parent == START))
        return (token, host, rank, origin, child.url, child.body, parent, child.found_on)

    def _note_start(self, result: Result) -> None:
        count, ended, digests = result.start
        write(self._sql, "INSERT INTO starts", [(digest,) for digest in digests])
        self.counters = self.counters._replace(
            start_count=max(count, self.counters.start_count), start_ended=ended or self.counters.start_ended
        )


def _finished_row(result: Result) -> tuple[object, ...]:
    state = schema.STATES.get(result.outcome)
    if state is None:
        raise StoreError(f"unknown outcome {result.outcome!r} of request {result.token}")
    counts = (len(result.items), len(result.children))
    return (result.token, state, result.reason or None, result.page, *counts, result.attempts)


_INSERT_REQUESTS = "INSERT INTO requests (token, host, rank, origin, url, body, parent, found_on)"

_MOVE = """
UPDATE requests SET host = ?, rank = ?, origin = ?, url = ?, body = coalesce(?, body), not_before = ? WHERE token = ?
"""

# What failed can be fetched again.
_FINISH = f"""
UPDATE requests SET state = v.column2, body = iif(v.column2 = {schema.FAILED}, body, NULL), reason = v.column3,
page = v.column4, items = v.column5, children = v.column6, attempts = v.column7 FROM (
"""
_FINISH_WHERE = ") AS v WHERE token = v.column1"

_UPDATE_COUNTERS = """
UPDATE counters SET tokens = ?, done = ?, items = ?, start_count = ?, start_ended = ?, changed = ? WHERE id = 1
"""
