"""How does the process that writes the feeds get the items of all workers, and what does it know of the crawl?

Its calls are not numbered: each may be made twice. Items are pulled in the order of their commits. A feed's mark is
written against the mark before, and in the run of the server in which the items came: if the server was put back to an
older state meanwhile, its marks are older than the feeds, its requests will bring other items, and whatever this
process remembers is worth nothing. ``WentBack`` says so; the feeds are then opened again where the server stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred

from crawler.errors import StoreError
from crawler.storage.cluster.line import Line
from crawler.storage.codec import Codec

DISK_MILLISECONDS = 3000
"""So long it is waited for that the server has what it knows on the disk; it syncs every second."""


class WentBack(StoreError):
    """The server is in an older state than it was."""


class ServerOutbox:
    """The committed items of a job on a server, and the marks of its feeds."""

    durable = True

    def __init__(self, line: Line, codec: Codec) -> None:
        self._line = line
        self._codec = codec
        self._run = ""
        self._marks: dict[str, bytes] = {}

    def __repr__(self) -> str:
        return f"<ServerOutbox of {self._line!r}>"

    def open(self, names: Sequence[str]) -> Deferred[tuple[dict[str, Any], int]]:
        """Name the feeds; return their marks on the server by name, and the number of the newest item."""
        return self._line.run(self._open, list(names))

    def unfed_items(self, after: int, count: int) -> Deferred[list[tuple[int, Any]]]:
        """Return committed items numbered above ``after``, in order; fails with WentBack."""
        return self._line.run(self._pull, after, count)

    def fed(self, feed: str, mark: Mapping[str, Any], *, on_disk: bool = False) -> Deferred[None]:
        """Keep a feed's mark, and let go of the items that all feeds have; fails with WentBack."""
        return self._line.run(self._keep, feed, int(mark["number"]), self._codec.encode(mark), on_disk)

    def _open(self, names: list[str]) -> tuple[dict[str, Any], int]:
        opened = self._line.calls.create([*map(_word, names)])
        self._run = opened.run
        self._marks = {name: mark or b"" for name, (_, mark) in zip(names, opened.marks, strict=True)}
        return {name: self._codec.decode(mark) for name, mark in self._marks.items() if mark}, opened.items

    def _pull(self, after: int, count: int) -> list[tuple[int, Any]]:
        pulled = self._line.calls.outbox(after, count)
        if pulled.run != self._run or pulled.items < after:
            raise WentBack("the server was started again")
        return [(number, self._codec.decode(data)) for number, data in pulled.rows]

    def _keep(self, feed: str, number: int, mark: bytes, on_disk: bool) -> None:
        if not self._line.calls.fed(self._run, _word(feed), number, mark, self._marks[feed]):
            raise WentBack("the server has other marks")
        self._marks[feed] = mark
        if on_disk:
            with suppress(StoreError):  # an older server, or one without an append-only file: the docs say what follows
                self._line.connection.command("WAITAOF", 1, 0, DISK_MILLISECONDS)


def _word(feed: str) -> str:
    """Return a feed's name as the server can keep it: that of a file may not be in the locale's encoding."""
    return feed.encode("ascii", "backslashreplace").decode()
