"""What does a worker tell the server in one call, and what does it get back?

A ``Turn`` has a list for each kind of thing to tell; whoever has something to tell appends it, and finds the answer at
the same place of the reply. It goes as flat texts and bytes, section by section, since the server's own MessagePack
knows no bytes and no whole numbers beyond 2**53; the reply is MessagePack that the functions write themselves.

The order of a turn's sections is the order in which they are carried out: see ``arguments``. What is told of a host
holds for what follows, a row that is posted may be returned in its new form, and rows are committed before new ones are
taken. A turn is carried out whole or not at all, but for one of a server whose memory is full (``Reply.full``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from crawler.storage.cluster.reply import Reply as Reply

Word: TypeAlias = str | bytes | int


class Tell(NamedTuple):
    """How a host may be asked, as its owner sees it; times in milliseconds from now."""

    host: str
    wait: int
    shareable: bool
    concurrency: int
    delay: int


class Put(NamedTuple):
    """A taken row in its new form, to be kept for this worker or to go back into the queue in ``wait`` milliseconds."""

    token: int
    host: str
    priority: int
    payload: bytes
    wait: int


class Move(NamedTuple):
    """A taken row of which a redirect has made another request, if the target's fingerprint (signed) is new."""

    token: int
    host: str
    priority: int
    payload: bytes
    wait: int
    fingerprint: int


class Claim(NamedTuple):
    """A signed fingerprint that the unit of this token will register with its commit."""

    token: int
    fingerprint: int


class Child(NamedTuple):
    """A new request, queued if its signed fingerprint is new or is not to be checked.

    ``check`` is 1 or 0; more by 2 where the newest of a host goes first, by 4 if this is one of start().
    """

    fingerprint: int
    check: int
    host: str
    priority: int
    payload: bytes


class Change(NamedTuple):
    """A change of a stage's memory: ``operation`` is "add", "set" or "del"; ``item`` -1: of none of the items."""

    stage: str
    name: str
    operation: str
    key: bytes
    value: bytes
    item: int = -1


class Stage(Struct):
    """Children of a taken row, kept until its commit."""

    token: int
    children: list[Child]


class Finish(Struct):
    """A taken row that has ended, with all that it brings; of START: results of start().

    ``fingerprints`` are signed, and claimed; ``record`` is kept for `crawler explain`, unless it is empty. ``digests``
    are those of results of start(), of which there have been ``count`` up to now.
    """

    token: int
    outcome: str = "answered"
    reason: str = ""
    children: list[Child] = []
    items: list[bytes] = []
    memory: list[Change] = []
    fingerprints: list[int] = []
    record: bytes = b""
    count: int = 0
    ended: bool = False
    digests: list[int] = []


class Fact(NamedTuple):
    """A value kept by name; empty: gone. ``host``: it is told whoever is granted that host, "" for none.

    A name that begins with "cookie:" or "live:" is told to all workers; of "stats", "errors" and "kinds" there is one
    for each worker.
    """

    name: str
    value: bytes
    host: str = ""


class Turn(Struct):
    """All that one call tells and asks for.

    ``posts``: rows that stay, in a new form; ``returns``: rows that go back. ``knows``: names of facts that are asked
    for. ``holds``: hosts that are gone on with by fewer permits, 0 for none; ``wants``: hosts that something here waits
    for; ``takes``: hosts with the number of rows that are to be taken; ``room``: how many further hosts are welcome.
    ``aside``: whether code works for itself in this worker, whose results have no row; None: as told before. If it
    does, an end that was told already is called off. ``leave``: this is the worker's last call, and what it still has
    goes back.
    """

    tells: list[Tell] = []
    facts: list[Fact] = []
    posts: list[Put] = []
    returns: list[Put] = []
    moves: list[Move] = []
    claims: list[Claim] = []
    stages: list[Stage] = []
    finishes: list[Finish] = []
    holds: list[tuple[str, int]] = []
    wants: list[str] = []
    takes: list[tuple[str, int]] = []
    knows: list[str] = []
    room: int = 0
    stop: str = ""
    aside: bool | None = None
    leave: bool = False

    def arguments(self) -> list[Word]:
        """Return the flat form: for each section that is not empty its name, the number of its entries, and these."""
        flat: list[Word] = []
        _plain(flat, "tell", ((h, w, int(s), c, d) for h, w, s, c, d in self.tells), len(self.tells))
        _plain(flat, "fact", self.facts, len(self.facts))
        _plain(flat, "post", self.posts, len(self.posts))
        _plain(flat, "ret", self.returns, len(self.returns))
        _plain(flat, "move", self.moves, len(self.moves))
        _plain(flat, "claim", self.claims, len(self.claims))
        if self.stages:
            flat += ("stage", len(self.stages))
            for stage in self.stages:
                flat.append(stage.token)
                _children(flat, stage.children)
        if self.finishes:
            flat += ("fin", len(self.finishes))
            for finish in self.finishes:
                _finish(flat, finish)
        _plain(flat, "hold", self.holds, len(self.holds))
        _plain(flat, "want", ((host,) for host in self.wants), len(self.wants))
        _plain(flat, "take", self.takes, len(self.takes))
        _plain(flat, "know", ((name,) for name in self.knows), len(self.knows))
        if self.room > 0:
            flat += ("room", 1, self.room)
        if self.stop:
            flat += ("stop", 1, self.stop)
        if self.aside is not None:
            flat += ("aside", 1, int(self.aside))
        if self.leave:
            flat += ("leave", 0)
        return flat


def _plain(flat: list[Word], name: str, entries: Iterable[Iterable[Word]], count: int) -> None:
    if count:
        flat += (name, count)
        for entry in entries:
            flat += entry


def _children(flat: list[Word], children: list[Child]) -> None:
    flat.append(len(children))
    for fingerprint, check, host, priority, payload in children:
        flat += (fingerprint, int(check), host, priority, payload)


def _finish(flat: list[Word], finish: Finish) -> None:
    flat += (finish.token, finish.outcome, finish.reason, finish.record, finish.count, int(finish.ended))
    flat.append(len(finish.digests))
    flat += finish.digests
    _children(flat, finish.children)
    flat.append(len(finish.items))
    flat += finish.items
    flat.append(len(finish.memory))
    for change in finish.memory:
        flat += change
    flat.append(len(finish.fingerprints))
    flat += finish.fingerprints
