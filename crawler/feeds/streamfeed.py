"""How does a feed write to the standard output, a pipe or a device, which cannot be cut?

With marks, the text of a group goes out after its mark was committed, and the mark holds that text: if the
process is killed in between, the next one writes it again. So a kill may repeat the last group and never
loses one. Each process writes a document of its own, with head and trailer.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

from msgspec.structs import replace

from crawler.errors import FeedError, OutputClosed, OutputError
from crawler.feeds.formats.base import Format
from crawler.feeds.items import Shape
from crawler.feeds.marks import BatchMark, Mark, read_mark
from crawler.model.masking import harmless


class _Terminal:
    """Writes to a terminal what does not move its cursor: items are made of pages."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream = stream
        self._encoding = encoding
        self.flush = stream.flush

    def write(self, data: memoryview) -> int:
        text = bytes(data).decode(self._encoding, "replace")
        self._stream.write(harmless(text).encode(self._encoding, "replace"))
        return len(data)


def _stdout(encoding: str) -> BinaryIO | _Terminal:
    # A terminal shows neither UTF-16 nor UTF-32, whose byte order mark is in the first group only.
    plain = not sys.stdout.buffer.isatty() or encoding.startswith(("utf-16", "utf-32"))
    return sys.stdout.buffer if plain else _Terminal(sys.stdout.buffer, encoding)


# Goals: a reader of the stream gets every item, and gets a document that is valid, from each process that ends by
# itself. What went out cannot be taken back, so here a kill may repeat a group; it never loses one.
#
# Plan: with marks, a group's text waits in ``_waiting`` until its mark is committed, and goes out then. The mark holds
# the text as another process would write it: as the beginning of a document of its own, made by the spare format,
# whose state goes along. Without marks text goes out at once.
#
# Known limits: a CSV's header has gone out, so that a later column ends the feed; a write that failed halfway leaves
# a torn document, which gets no trailer.


class StreamFeed:
    """A feed (see seam.Feed) into ``stream``, or a device at ``path``; neither: sys.stdout when it is opened.

    ``spare`` is a second object like the shape's ``form``, for what another process may have to write.
    """

    def __init__(
        self,
        name: str,
        shape: Shape,
        *,
        spare: Format,
        stream: BinaryIO | None = None,
        path: Path | None = None,
    ) -> None:
        self.name = name
        self._format = shape.form
        self._spare = spare
        self._fields = shape.fields
        self.lost = shape.fields.lost  # see seam.Feed
        self._given = stream
        self._path = path
        self._store_empty = shape.store_empty
        self._stream: BinaryIO | FileIO | _Terminal | None = None
        self._durable = False
        self._begun = False
        self._waiting = b""
        self._waiting_items = 0
        self._sent_items = 0
        self._torn = False  # a write failed halfway: no trailer makes that valid
        self._mark = Mark(0, format=shape.name)

    def check(self) -> None:
        """See seam.Feed."""
        if self._given is None and self._path is None and sys.stdout is None:
            raise OutputError(f"feed {self.name!r}: there is no standard output")

    def open(self, mark: dict[str, Any] | None, *, durable: bool) -> None:
        """See seam.Feed. What a killed process may have left unwritten is written now."""
        self._durable = durable
        with self._failures(OutputError):
            if self._path is not None:
                self._stream = self._path.open("wb", buffering=0)
            else:
                self._stream = self._given if self._given is not None else _stdout(self._format.options.encoding)
            if mark is not None:
                self._mark = read_mark(self.name, mark, self._mark.format)
                if self._mark.pending:
                    self._format.restore(self._mark.file.state if self._mark.file else {})
                    self._send(self._mark.pending.encode("latin-1"))
                    self._begun = True
                self._mark = replace(self._mark, pending="", file=None)
                self._sent_items = self._mark.items

    def write(self, items: Sequence[Any], number: int) -> dict[str, Any]:
        """See seam.Feed."""
        with self._failures(FeedError):
            fields = self._fields.of(items)
            self._mark = replace(self._mark, number=number, items=self._mark.items + len(fields))
            if not self._durable:
                self._send(self._encoded(fields), len(fields))
                return {"number": number}
            text = self._encoded(fields)
            self._waiting += text
            self._waiting_items += len(fields)
            alone = self._alone(fields, text).decode("latin-1")
            state = BatchMark(self.name, state=self._spare.state())
            return replace(self._mark, pending=alone, file=state).plain()

    def kept(self, mark: dict[str, Any]) -> None:
        """See seam.Feed. There is nothing to rename."""

    def committed(self, mark: dict[str, Any]) -> None:
        """See seam.Feed."""
        with self._failures(FeedError):
            self._send(*self._waited())

    def close(self, *, finished: bool) -> dict[str, Any]:
        """See seam.Feed."""
        with self._failures(FeedError):
            try:
                if not self._torn and (self._begun or self._store_empty):
                    text, count = self._waited()
                    head = b"" if self._begun else self._format.start()
                    self._send(text + head + self._format.finish(), count)
            finally:
                self._begun = False
                if self._path is not None and isinstance(self._stream, FileIO):
                    self._stream.close()
        return self._mark.plain()

    def count(self) -> int:
        """See seam.Feed. A group that was cut off by a failure does not count."""
        return self._sent_items

    def _waited(self) -> tuple[bytes, int]:
        """Take what has waited for its mark, and of how many items it is."""
        waited = self._waiting, self._waiting_items
        self._waiting, self._waiting_items = b"", 0
        return waited

    def _encoded(self, fields: list[dict[str, Any]]) -> bytes:
        if not fields:
            return b""
        head = b"" if self._begun else self._format.start()
        if not self._format.fits(fields):
            raise FeedError(
                f"feed {self.name!r}: an item has a column that the header, which is written, does not have; "
                "name the fields in FEEDS or FEED_EXPORT_FIELDS, or write to a file"
            )
        self._begun = True
        return head + self._format.encode(fields)

    def _alone(self, fields: list[dict[str, Any]], text: bytes) -> bytes:
        """Return the group as the beginning of a document, which it is if another process has to write it."""
        head = self._spare.start()
        if not fields or (not head and not self._spare.state() and not self._format.state()):
            return text
        return head + self._spare.encode(fields)

    def _send(self, data: bytes, items: int = 0) -> None:
        """Write the text of so many items, and flush it."""
        if data and self._stream is not None:
            self._torn = True
            rest = memoryview(data)
            while rest:
                rest = rest[self._stream.write(rest) :]
            self._stream.flush()
            self._torn = False
        self._sent_items += items

    @contextmanager
    def _failures(self, kind: type[OutputError] | type[FeedError]) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError as error:
            raise OutputClosed(f"feed {self.name!r}: nobody reads {self._where()} any more") from error
        except (OSError, ValueError, TypeError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or error
            raise kind(f"feed {self.name!r}: {self._where()}: {reason}") from error

    def _where(self) -> str:
        return str(self._path) if self._path is not None else "the standard output"
