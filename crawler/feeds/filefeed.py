"""How does a feed write its items to files, each item once, whatever kills the process?

After open, and before the first items, a caller that keeps marks should commit ``write((), number)``: only
then is it known where the bytes from before the job end, and that a file closed at a stop was taken up again.
A mark made at a stop then holds the file's whole size, and a file that somebody else has added to since is
refused rather than cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from crawler.errors import FeedError, OutputError
from crawler.feeds.batchfile import BatchFile, beside, remove_uncommitted, rename
from crawler.feeds.failures import check_place, named_errors
from crawler.feeds.items import Shape
from crawler.feeds.marks import BatchMark, Mark, read_mark
from crawler.feeds.names import PathTemplate, compression_of, stamp
from crawler.feeds.outfile import sync_folder

# Goals: after a kill at any moment, a resume leaves every item in the file once; the file is valid whenever the crawl
# is not running; not a byte that was there before the job is lost; a full disk costs nothing that was safe before.
#
# Plan: three states of one mark. ``_mark`` is where the feed stands, ``_safe`` the last that is valid on the disk
# whatever fails next, and the job store has the committed one, where another process begins. Without a job store
# nobody begins anywhere: only ``_safe`` matters, and renames need not wait.
#   1. write: items go behind the mark, or into a new generation of the file; fsync, and only then the mark.
#   2. kept: the mark is on the disk. committed: and has been there for a while; now a generation may take the name.
#   3. open(mark): finish such renames, check the file against the mark, cut what is behind it, go on.
#   4. after a failure: back to ``_safe``, so that closing leaves a valid file; the items since then are told lost.
#
# Known limits: the file must stay ours from open to close (it is locked, but a lock is only advice); a file that was
# changed behind a mark is refused, never mended; there is no going back behind a rename.


class FileFeed:
    """A feed (see seam.Feed) into one file, or into one for each batch of ``batch_size`` items (0: one file)."""

    def __init__(
        self,
        template: PathTemplate,
        shape: Shape,
        *,
        overwrite: bool,
        batch_size: int,
        started: datetime,
    ) -> None:
        self.name = template.feed
        self._template = template
        self._format = shape.form
        self._fields = shape.fields
        self.lost = shape.fields.lost  # see seam.Feed
        self._overwrite = overwrite
        self._store_empty = shape.store_empty
        self._batch_size = batch_size
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)  # what a batch's %(batch_time)s is taken from
        self._mark = Mark(0, format=shape.name, time=stamp(started), batch_time=stamp(started))
        self._suffix = compression_of(template.text)
        self._durable = False
        self._batch: BatchFile | None = None
        self._safe: Mark | None = None  # What is valid on disk whatever fails next.
        self._broken = False
        self._opening_items = 0
        self._guarded = False  # Whether the mark of the opening was committed before any item.

    @property
    def path(self) -> Path:
        """The file of the present batch."""
        mark = self._mark
        return self._template.path(time=mark.time, batch_time=mark.batch_time, batch=mark.batch)

    @property
    def _first_path(self) -> Path:
        """The file of the first batch: a resume knows its name, whatever it has forgotten."""
        time = self._mark.time
        return self._template.path(time=time, batch_time=time, batch=1)

    def check(self) -> None:
        """See seam.Feed. Whether an old file can be appended to is told by ``open``: a resumed one is no matter."""
        path, root = self.path, self._template.root
        with self._failures(OutputError):
            check_place(self.name, path, root)

    def open(self, mark: dict[str, Any] | None, *, durable: bool) -> None:
        """See seam.Feed."""
        self._durable = durable
        self._broken = False
        try:
            with self._failures(OutputError):
                if mark is None:
                    self._begin_first()
                else:
                    self._resume(read_mark(self.name, mark, self._mark.format))
        except OutputError:
            self.let_go()
            raise
        self._guarded = False
        self._safe = self._mark

    def write(self, items: Sequence[Any], number: int) -> dict[str, Any]:
        """See seam.Feed. Without durable the mark holds the number alone."""
        if self._broken:
            raise FeedError(f"feed {self.name!r} failed before; nothing more is written to it")
        with self._failures(FeedError):
            drained = self._put(self._fields.of(items))
            self._mark = replace(self._mark, number=number)
            if self._durable:
                return self._marked().plain()
            if drained:
                self._safe = self._marked()
        return {"number": number}

    def kept(self, mark: dict[str, Any]) -> None:
        """See seam.Feed."""
        self._safe = kept = read_mark(self.name, mark, self._mark.format)
        if self._opening_items == kept.items == self._mark.items:
            self._guarded = True

    def committed(self, mark: dict[str, Any]) -> None:
        """See seam.Feed. Without durable there is nothing that waits for it."""
        if not self._durable:
            return
        committed = read_mark(self.name, mark, self._mark.format)
        if self._safe is None or self._safe.number <= committed.number:
            self.kept(mark)
        with self._failures(FeedError):
            self._rename(committed)
        if self._batch is not None and self._batch.held:
            with self._failures(OutputError):
                self._batch.make()
                self._batch.sync(durable=True)

    def close(self, *, finished: bool) -> dict[str, Any]:
        """See seam.Feed. After a failure the file is closed as the last safe mark left it."""
        try:
            self._finish()
        except FeedError:
            with suppress(FeedError):  # there may be room for what was safe, and for that alone
                self._finish()
            raise
        finally:
            self.let_go()
        return self._mark.plain()

    def _finish(self) -> None:
        with self._failures(FeedError):
            if self._broken:
                self._go_back()
            elif self._durable and self._safe is not None:
                self._rename(self._safe)
            if self._batch is not None:
                ended = self._batch.finish(durable=self._durable)
                self._mark = replace(self._mark, file=ended if self._guarded else replace(ended, end=None))
                self.let_go()

    def let_go(self) -> None:
        """Close the file as it is; nothing more is written."""
        if self._batch is not None:
            self._batch.close()
            self._batch = None

    def count(self) -> int:
        """See seam.Feed."""
        return self._mark.items

    def _begin_first(self) -> None:
        self._mark = replace(self._mark, batch_time=self._mark.time)
        self._batch = self._batch_file()
        # A file is left as it was until a mark of the opening is kept.
        self._batch.begin(append=not self._overwrite, lazy=not self._store_empty, hold=self._durable)
        self._opened()

    def _resume(self, mark: Mark) -> None:
        self._rename(mark)
        self._mark = replace(mark, renames=[])
        if mark.file is not None and self._batch_size:
            for path in {self._first_path, Path(mark.file.path)}:  # what they are named after, and were before
                remove_uncommitted(path, ".b", mark.batch, mark.file.generation)
        if mark.file is not None and not self._full(mark):
            self._batch = BatchFile(Path(mark.file.path), self._format, self._suffix, follow=not self._template.used)
            self._batch.resume(mark.file, lazy=not self._store_empty)
            self._mark = replace(self._mark, file=replace(mark.file, end=None))
            self._opened()
        self._opening_items = mark.items

    def _opened(self) -> None:
        self._opening_items = self._mark.items
        if self._batch is not None:
            self._batch.sync(durable=self._durable)
            if self._durable and self._batch.path.exists():
                sync_folder(self._batch.path)
        self._mark = self._marked()

    def _put(self, items: list[dict[str, Any]]) -> bool:
        """Write items, over as many batches as they need; tell whether all was handed to the system."""
        drained = False
        while items:
            if self._full(self._mark):
                self._begin_next()
            assert self._batch is not None
            room = self._batch_size - self._mark.batch_items if self._batch_size else len(items)
            part, items = items[:room], items[room:]
            drained = self._batch.write(part)
            count = len(part)
            self._mark = replace(self._mark, items=self._mark.items + count, batch_items=self._mark.batch_items + count)
            self._take_renames()
            if self._full(self._mark):
                self._end_batch()
                drained = True
        return drained

    def _full(self, mark: Mark) -> bool:
        return 0 < self._batch_size <= mark.batch_items

    def _begin_next(self) -> None:
        mark = self._mark
        self._mark = replace(mark, batch=mark.batch + 1, batch_items=0, batch_time=stamp(self.now()), file=None)
        self._batch = self._batch_file()
        if self._durable:
            self._batch.begin_aside(append=not self._overwrite)
        else:
            self._batch.begin(append=not self._overwrite, lazy=False, hold=False)
        self._take_renames()

    def _end_batch(self) -> None:
        assert self._batch is not None
        file = self._batch.finish(durable=self._durable)
        self._batch.close()
        self._batch = None
        self._mark = replace(self._mark, file=file)

    def _batch_file(self) -> BatchFile:
        path, first = self.path, self._first_path
        if self._template.used:
            path.parent.mkdir(parents=True, exist_ok=True)
            first.parent.mkdir(parents=True, exist_ok=True)
        aside = beside(first, self._mark.batch) if self._durable and self._mark.batch > 1 else None
        return BatchFile(path, self._format, self._suffix, follow=not self._template.used, beside=aside)

    def _marked(self) -> Mark:
        file: BatchMark | None = self._mark.file
        if self._batch is not None:
            self._batch.sync(durable=self._durable)
            file = self._batch.mark()
        if self._durable:
            for entry in self._mark.renames:
                sync_folder(Path(entry.source))
        self._mark = replace(self._mark, file=file)
        return self._mark

    def _take_renames(self) -> None:
        """Note new generations; without marks there is nothing to wait for."""
        if self._batch is None or not self._batch.renames:
            return
        new, self._batch.renames = self._batch.renames, []
        self._mark = replace(self._mark, renames=[*self._mark.renames, *new])
        if not self._durable:
            self._batch.sync(durable=False)
            self._rename(self._mark)

    def _rename(self, mark: Mark) -> None:
        for entry in mark.renames:
            rename(entry)
            if self._durable:
                sync_folder(Path(entry.target))
        if mark.renames:
            self._mark = self._mark.without(mark.renames)
            self._safe = self._safe and self._safe.without(mark.renames)
            if self._batch is not None and not self._mark.renames:
                self._batch.release()

    def _go_back(self) -> None:
        """Forget what was not safe: the items since then are lost, and the error has said so."""
        if self._batch is not None:
            for entry in self._batch.renames:
                Path(entry.source).unlink(missing_ok=True)
            self.let_go()
        safe = self._safe
        for entry in self._mark.renames:
            if safe is None or entry not in safe.renames:
                Path(entry.source).unlink(missing_ok=True)
        if safe is not None:
            self._resume(safe)
        self._broken = False

    def _failures(self, kind: type[OutputError] | type[FeedError]) -> AbstractContextManager[None]:
        path = self._mark.file.path if self._mark.file is not None else self._template.text
        return named_errors(self.name, path, kind, self._break)

    def _break(self) -> None:
        self._broken = True
