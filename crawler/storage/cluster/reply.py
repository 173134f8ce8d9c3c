"""What does the server answer to a worker's turn?

It is MessagePack that the functions write themselves, read here straight into these forms.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from msgspec import Struct

Rank: TypeAlias = tuple[int, int]
"""What a queue is ordered by: the priority with its sign changed, and the place."""


NEWEST = 2**52
"""Places from its half on are counted from here: down, if the newest of a host goes first; up, for one of start()."""


class Taken(Struct, array_like=True, frozen=True):
    """A row that this worker has now, by its place in the queue; ``deaths``: of how many workers it was the end."""

    place: int
    priority: int
    deaths: int
    payload: bytes

    @property
    def token(self) -> int:
        """The row's token."""
        return self.place if self.place <= NEWEST // 2 else abs(self.place - NEWEST)


class Done(Struct, array_like=True, frozen=True):
    """What became of a Finish: which children were queued, the number of its first item, and items left out."""

    children: str
    first_item: int
    dropped: list[int]

    def new(self) -> list[bool]:
        """Tell of each child whether it was queued."""
        return [mark == "1" for mark in self.children]


class Granted(Struct, array_like=True, frozen=True):
    """A host that may be asked from now on, next in ``wait`` milliseconds. ``queued`` and ``first`` as in Stored."""

    host: str
    permits: int
    wait: int
    queued: int
    first: Rank | None


class Stored(Struct, array_like=True, frozen=True):
    """How many rows of a held host are in the store, and the first of them."""

    host: str
    count: int
    first: Rank | None


class Begin(Struct, array_like=True, frozen=True):
    """This worker runs start(), which has delivered so much before. ``digests`` are decimals of signed numbers: Lua has
    none of 64 bits."""

    count: int
    digests: list[str]


class Totals(Struct, array_like=True, frozen=True):
    """Of the whole crawl: requests that wait in the store, that workers have, that are done; items; living workers."""

    queued: int = 0
    taken: int = 0
    done: int = 0
    items: int = 0
    workers: int = 0


class Reply(Struct, array_like=True, frozen=True):
    """The answers, each in the order of its section, and what else has changed.

    ``word``: "ok"; "late": nothing was done, and this worker has lost what it had; "full": there is no memory for what
    was to be written, so of the turn only tells, returns, holds, wants, facts, stop and leave were done, and the rest
    is to be told again, later.
    ``claims`` tells of each whether it is new. ``moves``: "here", "elsewhere" or "duplicate". ``takes`` has a list for
    each. ``facts`` are those of granted hosts, those asked for and what other workers have changed; None: gone.
    ``asks``: hosts for which others ask, with the permits to go down to. ``stored``: held hosts of which more or
    less is in the store. ``begin``: start() is this worker's. ``hungry`` other workers have nothing to do.
    ``backlog`` bytes of items wait to be written. ``stopping`` and ``over`` are reasons, "" for neither; "idle" tells
    the owner of start() that nothing else is left.
    """

    word: str
    finishes: list[Done] = []
    claims: str = ""
    moves: list[str] = []
    takes: list[list[Taken]] = []
    grants: list[Granted] = []
    asks: list[tuple[str, int]] = []
    stored: list[Stored] = []
    facts: list[tuple[str, bytes | None]] = []
    begin: Begin | None = None
    hungry: int = 0
    backlog: int = 0
    stopping: str = ""
    over: str = ""
    totals: Totals = Totals()

    @property
    def late(self) -> bool:
        """Whether this worker has lost what it had."""
        return self.word == "late"

    @property
    def full(self) -> bool:
        """Whether the server had no memory for what was to be written."""
        return self.word == "full"


read_reply = msgspec.msgpack.Decoder(Reply).decode
