"""What does a job keep of its items while it runs?

Beside the job lies NAME.items: a head that says with what the run is compared, then a row for each item of the output.
With --changes there is NAME.changes, too, with the items that are new or changed. What becomes of them when the job has
finished is told by crawler.storage.itemhistory, from these files alone.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import msgspec
from msgspec import Struct

from crawler.errors import FeedError, JobDamaged, OutputError
from crawler.model.keyed import key_text
from crawler.storage.history import Run, read_run, sections
from crawler.storage.historyfile import HistoryGone
from crawler.storage.itemrows import ITEMS, Before, framed, frames_of_file, make_row, pack_rows, rows_in, rows_of

logger = logging.getLogger("crawler")

ITEMS_SUFFIX, CHANGES_SUFFIX = ".items", ".changes"

Change = tuple[str, int, str, bytes]
"""An item that is "new" or "changed": that word, the number of its key, its key, itself as JSON."""

_encode = msgspec.msgpack.Encoder().encode


class Row(Protocol):
    """An item, as feeds.digests.Row has it."""

    @property
    def token(self) -> int: ...
    @property
    def page(self) -> str: ...
    @property
    def key(self) -> str | int: ...
    @property
    def digest(self) -> bytes: ...
    @property
    def item(self) -> bytes: ...


class Head(Struct):
    """The history of the run that this one is compared with, where the changes go ("" for none), and whether rows are
    missing."""

    since: str = ""
    target: str = ""
    lost: bool = False


_head = msgspec.msgpack.Decoder(Head).decode
_change = msgspec.msgpack.Decoder(Change).decode


def items_of(job: Path) -> Path:
    """Return the file of a job's rows. ``job`` is the job's file, or what would be it."""
    return job.with_name(job.stem + ITEMS_SUFFIX)


def changes_of(job: Path) -> Path:
    """Return the file of a job's new and changed items."""
    return job.with_name(job.stem + CHANGES_SUFFIX)


def remove_record(job: Path) -> None:
    """Remove both; raises OSError."""
    items_of(job).unlink(missing_ok=True)
    changes_of(job).unlink(missing_ok=True)


def read_record(job: Path) -> tuple[Head, Iterator[bytes]] | None:
    """Return the head of a job's rows, and their frames; None if it keeps none."""
    frames = frames_of_file(items_of(job))
    with suppress(FileNotFoundError):
        head = next(frames, None)
        return None if head is None else (_head(head), frames)
    return None


def read_changes(job: Path) -> Iterator[Change]:
    """Yield a job's new and changed items."""
    with suppress(FileNotFoundError):
        yield from map(_change, frames_of_file(changes_of(job)))


def revive_record(job: Path, run: Run) -> None:
    """Begin the record of a job that is made of a finished run, with the rows of that; raises OSError and JobDamaged.

    Which items it adds is not compared with anything.
    """
    with _Scratch(items_of(job)) as items:
        items.open(0)
        items.add(framed(_encode(Head())))
        for block in sections(run, ITEMS):
            items.add(block)
        items.sync()


class _Scratch:
    """A file that grows by frames; what is behind a mark is cut off."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.length = 0
        self._file: BinaryIO | None = None

    def __enter__(self) -> _Scratch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self, length: int | None) -> bool:
        """Go on at a length, or with all that is there (None); tell whether so much is there. Raises OSError."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "r+b")
        there = self.path.stat().st_size
        self.length = there if length is None else min(length, there)
        self._file.truncate(self.length)
        self._file.seek(self.length)
        return length is None or length <= there

    def add(self, data: bytes) -> None:
        assert self._file is not None
        self._file.write(data)
        self.length += len(data)

    def sync(self) -> None:
        assert self._file is not None
        self._file.flush()
        os.fdatasync(self._file.fileno())

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class ItemRecord:
    """Keeps the rows of a job (see feeds.digests.Record).

    ``job``: the job's file, or what would be it. ``whole``: the items are kept, not only what tells them apart.
    ``since``: the history of the run that a new job is compared with, ``target``: where its changes are to go.
    """

    def __init__(self, job: Path, *, whole: bool, since: Path | None = None, target: Path | None = None) -> None:
        self._items = _Scratch(items_of(job))
        self._changes = _Scratch(changes_of(job))
        self._whole = whole
        self._head = Head(str(since or ""), str(target or ""))
        self._before = Before()
        self._number = 0

    def __repr__(self) -> str:
        return f"<ItemRecord {self._items.path}>"

    @property
    def keeps_items(self) -> bool:
        """See feeds.digests.Record."""
        return self._whole or bool(self._head.target)

    def open(self, mark: dict[str, Any] | None) -> None:
        """See feeds.digests.Record."""
        try:
            self._open(*((None, None) if mark is None else (int(mark["length"]), int(mark["changes"]))))
        except OSError as error:
            raise OutputError(f"cannot write {error.filename or self._items.path}: {error.strerror}") from error
        self._number = 0 if mark is None else int(mark["number"])

    def _open(self, length: int | None, changes: int | None) -> None:
        there = self._items.open(length) and (not changes or self._changes.open(changes))
        wished = bool(self._head.target)
        if not there:
            logger.warning("%s is not what the job left: its history will have no items", self._items.path)
            self._begin(Head(self._head.since, self._head.target, lost=True))
        elif not self._items.length:
            self._begin(self._head)
        frames = frames_of_file(self._items.path)
        self._head = _head(next(frames))
        if self._head.lost:
            return
        if self._head.target:
            if not changes:
                self._changes.open(changes)
            self._compare(frames)
        elif wished:
            logger.warning("No changes are told of a crawl that fetches again what had failed")

    def _begin(self, head: Head) -> None:
        self._items.close()
        self._items.open(0)
        self._items.add(framed(_encode(head)))
        self._items.sync()

    def _compare(self, frames: Iterator[bytes]) -> None:
        """Take up what the run is compared with, and what it has met of that."""
        if self._head.since:
            try:
                self._before = Before(rows_of(read_run(Path(self._head.since))))
            except HistoryGone:  # the crawl itself is not to be lost for that; its end tells of it again
                logger.warning("No changes can be told: the run %s is not there any more", self._head.since)
            except JobDamaged as error:
                raise OutputError(f"the changes cannot be told: {error}") from error
        for frame in frames:
            for row in rows_in(frame):
                self._before.meet(row)

    def add(self, rows: Sequence[Row], number: int) -> dict[str, Any]:
        """See feeds.digests.Record."""
        self._number = number
        try:
            if rows and not self._head.lost:
                self._add(rows)
        except OSError as error:
            raise FeedError(f"cannot write {self._items.path}: {error.strerror}") from error
        return self._mark()

    def _add(self, rows: Sequence[Row]) -> None:
        kept = [make_row(row.token, row.page, row.key, row.digest, row.item if self._whole else b"") for row in rows]
        self._items.add(pack_rows(kept))
        self._items.sync()
        if not self._head.target:
            return
        for row, each in zip(rows, kept, strict=True):
            change, number = self._before.meet(each)
            if change != "same":
                self._changes.add(framed(_encode((change, number, key_text(row.page, row.key), row.item))))
        self._changes.sync()

    def _mark(self) -> dict[str, Any]:
        return {"number": self._number, "length": self._items.length, "changes": self._changes.length}

    def close(self) -> dict[str, Any]:
        """See feeds.digests.Record."""
        self._items.close()
        self._changes.close()
        return self._mark()
