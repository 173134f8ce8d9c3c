"""How does a feed write a format whose files can only be made as a whole?

What is written item by item, cut and continued, is a file of records beside the job (sentfeed.py). When a batch is
whole the format makes the real file of it, which is then stored as any other: there or not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from crawler.errors import OutputError
from crawler.feeds.formats.base import Format
from crawler.feeds.items import Fields, ItemTest, Shape
from crawler.feeds.names import compression_of
from crawler.feeds.outfile import OutFile
from crawler.feeds.sentfeed import SentFeed, Spool
from crawler.feeds.storage import Storage


class Converted:
    """A storage that stores what a format makes of a file. See Storage."""

    def __init__(self, storage: Storage, form: Format) -> None:
        self._storage = storage
        self._form = form

    def check(self, url: str) -> None:
        """See Storage."""
        self._form.check()
        check = getattr(self._storage, "check", None)
        if check is not None:
            check(url)

    def store(self, file: Path, url: str) -> None:
        """See Storage. Nothing is stored where the format makes no file."""
        made = file.with_name(f"{file.name}.made")
        try:
            self._form.convert(file, made)
            if made.exists():
                self._storage.store(made, url)
        finally:
            made.unlink(missing_ok=True)


class ToldFields(Fields):
    """Fields that tell a format of each class of items, before the first item of it."""

    def __init__(
        self,
        names: Mapping[str, str] | None,
        *,
        text_names: bool,
        wanted: ItemTest | None,
        empty: bool,
        learn: Callable[[Collection[type]], None],
    ) -> None:
        super().__init__(names, text_names=text_names, wanted=wanted, empty=empty)
        self._learn = learn
        self._told: set[type] = {dict}
        if wanted is not None and wanted.classes:
            learn(wanted.classes)

    def of(self, items: Sequence[Any]) -> list[dict[str, Any]]:
        """See Fields."""
        new = {type(item) for item in items} - self._told
        if new:
            self._told |= new
            self._learn(new)
        return super().of(items)


class PartsFeed(SentFeed):
    """A feed into whole, numbered files of this machine.

    With ``overwrite`` it begins at the first, and what an earlier crawl has left behind its last one goes when it is
    finished. Without, it begins behind those that are there. A file beside them is locked, so that no two processes
    number them at once.
    """

    _lock: OutFile | None = None

    def __init__(self, spool: Spool, shape: Shape, *, overwrite: bool, **more: Any) -> None:
        super().__init__(spool, shape, overwrite=True, **more)  # each of its files is a new one
        self._appends = not overwrite

    def open(self, mark: dict[str, Any] | None, *, durable: bool) -> None:
        """See seam.Feed."""
        lock = self._path(0).with_name(f".{self._path(0).name[:100]}.lock")
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            self._lock = OutFile(lock, "", follow=False)
            if mark is None and self._appends:
                self._mark = replace(self._mark, batch=next(each for each in count(1) if not self._path(each).exists()))
        except OSError as error:
            raise OutputError(f"feed {self.name!r}: {lock}: {error.strerror or error}") from error
        try:
            super().open(mark, durable=durable)
        except OutputError:
            self.unlock()
            raise

    def close(self, *, finished: bool) -> dict[str, Any]:
        """See seam.Feed."""
        try:
            if finished:
                for batch in count(self._mark.batch + 1 if self._mark.items else self._mark.batch):
                    if not self._path(batch).is_file():
                        break
                    self._path(batch).unlink()
            return super().close(finished=finished)
        finally:
            self.unlock()

    def unlock(self) -> None:
        """Let others number files."""
        if self._lock is not None:
            self._lock.path.unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def _path(self, batch: int) -> Path:
        return Path(self._spool.place(time=self._mark.time, batch_time=self._mark.batch_time, batch=batch))


def numbered(feed: str, path: str) -> str:
    """Return the name of a feed of whole files with its number: NAME-00001.parquet. Raises OutputError."""
    if compression := compression_of(path):
        raise OutputError(f"feed {feed!r}: such a file is compressed inside; {compression} does not belong to its name")
    if "%(batch_id)" in path or "%(batch_time)" in path:
        return path
    head, dot, extension = path.rpartition(".")
    if not dot or "/" in extension:
        head, extension = path, ""
    plain = head if "%(" in path else head.replace("%%", "%%%%")
    return f"{plain}-%(batch_id)05d{dot if extension else ''}{extension}"
