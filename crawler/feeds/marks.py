"""What does a mark say, so that another process can go on exactly there?

The job store commits marks as plain values; ``Mark`` and its parts are how the feeds see them. Everything
in them was once true of the disk: a mark is made after fsync.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from crawler.errors import OutputError


class Position(Struct, frozen=True, omit_defaults=True):
    """A place in a file: its length there in bytes, the digest before it, the state of an open member."""

    length: int = 0
    digest: str = ""
    member: list[int] | bool | None = None


class Rename(Struct, frozen=True):
    """A file to be renamed once the mark is committed; ``size`` is that of the one replaced, -1 if there is none."""

    source: str
    target: str
    size: int


class Piece(Struct, frozen=True):
    """A whole file, of one batch, that is still to be sent to where the feed goes."""

    path: str
    batch: int
    batch_time: str


class BatchMark(Struct, frozen=True, omit_defaults=True):
    """One batch's file. ``position`` None: it is not begun yet."""

    path: str
    position: Position | None = None
    generation: int = 0
    # Bytes of a compressed trailer from before the job, still to be dropped.
    trailer: int = 0
    # Whether the file is ours to close: False while nothing was added to one from before the job, whose
    # whole size is then in ``original``.
    begun: bool = False
    original: int | None = None
    state: dict[str, Any] = {}
    # The whole size, trailer included, if the batch was closed; None while it is open.
    end: int | None = None


class Mark(Struct, frozen=True, omit_defaults=True):
    """Where a feed stands. ``number`` is that of the last item handed over, ``items`` how many it wrote."""

    number: int
    items: int = 0
    format: str = ""
    time: str = ""
    batch: int = 1
    batch_time: str = ""
    batch_items: int = 0
    file: BatchMark | None = None
    renames: list[Rename] = []
    unsent: list[Piece] = []
    # What a stream (stdout) has to write once the mark is committed, as Latin-1 text.
    pending: str = ""

    def plain(self) -> dict[str, Any]:
        """Return the mark in plain types; "number" is always there."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain

    def without(self, renames: Sequence[Rename]) -> Mark:
        """Return the mark when these files have been renamed."""
        return replace(self, renames=[entry for entry in self.renames if entry not in renames])


def read_mark(feed: str, plain: dict[str, Any], form: str) -> Mark:
    """Return a mark that was committed. Raises OutputError if it is not one of this feed."""
    try:
        mark = msgspec.convert(plain, Mark)
    except msgspec.ValidationError as error:
        raise OutputError(f"feed {feed!r}: the job's mark is not readable: {error}") from error
    if mark.format and mark.format != form:
        raise OutputError(f"feed {feed!r}: the job wrote it as {mark.format}, not as {form}")
    return mark
