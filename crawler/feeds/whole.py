"""How does a feed write a format whose files can only be made as a whole?

What is written item by item, cut and continued, is a file of records beside the job (sentfeed.py). When a batch is
whole the format makes the real file of it, which is then stored as any other: there or not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from crawler.errors import OutputError
from crawler.feeds.failures import check_place
from crawler.feeds.formats.base import Format
from crawler.feeds.items import Fields, ItemTest
from crawler.feeds.names import PathTemplate, compression_of
from crawler.feeds.sentfeed import SentFeed
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
    """A feed into whole files of this machine; those that an earlier crawl has left behind the last one go."""

    def check(self) -> None:
        """See seam.Feed."""
        super().check()
        target = self._spool.target
        assert isinstance(target, PathTemplate)
        check_place(self.name, Path(self.destination), target.root)

    def close(self, *, finished: bool) -> dict[str, Any]:
        """See seam.Feed."""
        if finished:
            mark = self._mark
            for batch in count(mark.batch + 1 if mark.items else mark.batch):
                old = Path(self._spool.place(time=mark.time, batch_time=mark.batch_time, batch=batch))
                if not old.is_file():
                    break
                old.unlink()
        return super().close(finished=finished)


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
