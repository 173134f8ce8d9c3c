"""How does a feed write its items to files that are stored elsewhere, each item once, whatever kills the process?

A file is written beside the job as any feed's is (filefeed.py), with the same marks, and sent when it is whole: a batch
when a mark that says so is committed, the last one when the feed is closed. What is sent is always a whole file under
the name that the mark gives it, so that sending it again after a kill changes nothing.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from crawler.errors import CrawlerError, FeedError, OutputError
from crawler.feeds.batchfile import BatchFile
from crawler.feeds.failures import check_place
from crawler.feeds.filefeed import FileFeed
from crawler.feeds.items import Shape
from crawler.feeds.marks import Mark, Piece, read_mark
from crawler.feeds.names import PathTemplate, Template, format_of, safe_part
from crawler.feeds.storage import Storage
from crawler.model.masking import masked

logger = logging.getLogger(__name__)

WAITS = (1.0, 3.0, 9.0)
"""Seconds before a file that could not be sent is sent again."""

# Goals: as filefeed.py has them, for what is read elsewhere; nothing there is ever half a file.
#
# Plan: the mark of a feed names the whole files that are not sent yet, ``unsent``. They are sent when that mark is
# committed: a batch that a kill undoes has a name with another time, and would stay there beside the one that is
# written again. A file that was sent is removed; so one that is not there any more, in a folder that is, was sent.
#
# Known limits: a file is read elsewhere when it is whole, not while it grows; nothing is locked there, so that of two
# crawls which append to one file the last to end has its items in it; a job that goes on without its folder (on another
# machine) is refused, for its files are there.


class Spool(PathTemplate):
    """The names of files that wait, in a folder that is told later; ``target`` names where they go."""

    def __init__(self, target: Template, *, plain: bool) -> None:
        self.feed = target.feed
        self.target = target
        kind, compression = format_of(target.text)
        self._end = f".{safe_part(kind)[:20]}" + ("" if plain else compression)
        self.text = "file" + self._end
        self.used = frozenset({"batch_id"})  # its folders are ours, and are made
        self.root = Path()

    @property
    def numbered(self) -> bool:
        """See Template."""
        return self.target.numbered

    def path(self, *, time: str, batch_time: str, batch: int) -> Path:
        """Return the absolute path of a batch."""
        return self.root / f"{batch:05d}{self._end}"

    def place(self, *, time: str, batch_time: str, batch: int) -> str:
        """Return where a batch goes: a URL or an absolute path. Raises OutputError."""
        if isinstance(self.target, PathTemplate):
            return str(self.target.path(time=time, batch_time=batch_time, batch=batch))
        return self.target.filled(time=time, batch_time=batch_time, batch=batch)


class SentFeed(FileFeed):
    """A feed (see seam.Feed) whose files are written beside the job, and stored elsewhere when they are whole."""

    def __init__(
        self,
        spool: Spool,
        shape: Shape,
        *,
        storage: Storage,
        overwrite: bool,
        batch_size: int,
        started: datetime,
        waiting: str | None = None,
    ) -> None:
        super().__init__(spool, shape, overwrite=overwrite, batch_size=batch_size, started=started)
        self._spool = spool
        self._storage = storage
        self._waiting = waiting  # the folder for files of a crawl without job
        self._temporary: Path | None = None
        self._placed = False
        self._gave_up = False
        self.pause: Callable[[float], None] = time.sleep

    @property
    def destination(self) -> str:
        """Where the present batch goes. Raises OutputError."""
        mark = self._mark
        return self._spool.place(time=mark.time, batch_time=mark.batch_time, batch=mark.batch)

    def place(self, folder: Path) -> None:
        """See seam.Feed."""
        # Its own folder, by its name: the same for every process that works on the job.
        self._spool.root = folder / hashlib.blake2b(self.name.encode(), digest_size=6).hexdigest()
        self._placed = True

    def check(self) -> None:
        """See seam.Feed."""
        check, target = getattr(self._storage, "check", None), self._spool.target
        try:
            if isinstance(target, PathTemplate):
                check_place(self.name, Path(self.destination), target.root)
            if check is not None:
                check(self.destination)
        except (CrawlerError, ImportError):  # of an extra that is not installed
            raise
        except Exception as error:
            raise OutputError(f"feed {self.name!r}: {_said(error)}") from error

    def open(self, mark: dict[str, Any] | None, *, durable: bool) -> None:
        """See seam.Feed."""
        if not self._placed:
            self._make_temporary()
        self._gave_up = False
        root = self._spool.root
        if mark is not None and not root.is_dir():
            raise OutputError(
                f"feed {self.name!r}: its file was written on the machine, and in the folder, where the job was begun: "
                f"there is no {root} here"
            )
        try:
            super().open(mark, durable=durable)
        except OutputError:
            self._remove_temporary()
            raise

    def committed(self, mark: dict[str, Any]) -> None:
        """See seam.Feed. The mark knows of whole files, so they are sent."""
        super().committed(mark)
        known = read_mark(self.name, mark, self._mark.format) if self._durable else self._mark
        for piece in known.unsent:
            self._send(piece)

    def close(self, *, finished: bool) -> dict[str, Any]:
        """See seam.Feed. The file is sent as it is now: whole, whether or not the crawl will go on."""
        mark = super().close(finished=finished)
        if self._gave_up:
            return mark
        for piece in self._mark.unsent:
            if self._is_known(piece.batch):
                self._send(piece)
        ended = self._mark
        if ended.file is not None and not self._full(ended) and self._is_known(ended.batch):
            self._store(Piece(ended.file.path, ended.batch, ended.batch_time))
        if finished or not self._durable:  # a store of one's own may go on with it
            self._remove_temporary()
        return self._mark.plain()

    def _end_batch(self) -> None:
        path, mark = self.path, self._mark
        super()._end_batch()
        piece = Piece(str(path), mark.batch, mark.batch_time)
        self._mark = replace(self._mark, unsent=[*self._mark.unsent, piece])

    def _is_known(self, batch: int) -> bool:
        """Tell whether a resume would give the batch the same name."""
        return not self._durable or (self._safe is not None and batch <= self._safe.batch)

    def _send(self, piece: Piece) -> None:
        """Send what has not been sent yet."""
        if piece not in self._mark.unsent:
            return
        self._store(piece)
        Path(piece.path).unlink(missing_ok=True)
        self._mark = _without(self._mark, piece)
        self._safe = self._safe and _without(self._safe, piece)

    def _store(self, piece: Piece) -> None:
        file = Path(piece.path)
        if not file.exists():
            return  # no item came, or it was sent
        place = self._spool.place(time=self._mark.time, batch_time=piece.batch_time, batch=piece.batch)
        try:
            self._patiently(place, lambda: self._storage.store(file, place))
        except Exception as error:  # each library, and each class of the user's, has its own
            self._gave_up = True
            kept = f"the file is kept as {file}" + (", for the job's resume" if self._placed else "")
            what = f"{masked(place)} could not be written: {_said(error)}"
            raise FeedError(f"feed {self.name!r}: {what}; {kept}") from error

    def _batch_file(self) -> BatchFile:
        """Make the file of a batch; what is there already, and is to stay, is fetched first."""
        made = super()._batch_file()
        if not self._overwrite:
            place, file = self.destination, self.path
            file.unlink(missing_ok=True)  # of a process that was killed
            try:
                self._patiently(place, lambda: self._storage.fetch(place, file))  # type: ignore[attr-defined]
            except Exception as error:
                what = f"{masked(place)} could not be read, to be appended to: {_said(error)}"
                raise OSError(what) from error
        return made

    def _patiently(self, place: str, call: Callable[[], object]) -> None:
        for wait in (*WAITS, None):
            try:
                call()
                return
            except Exception as error:
                if wait is None or getattr(error, "lasting", False) or isinstance(error, CrawlerError):
                    raise
                said = "feed %r: %s cannot be reached, which is tried again in %.0f s: %s"
                logger.warning(said, self.name, masked(place), wait, _said(error))
                self.pause(wait)

    def _make_temporary(self) -> None:
        try:
            self._temporary = Path(tempfile.mkdtemp(prefix="crawler-feed-", dir=self._waiting))
        except OSError as error:
            where = self._waiting or tempfile.gettempdir()
            raise OutputError(f"feed {self.name!r}: no folder can be made in {where}: {error.strerror}") from error
        self._spool.root = self._temporary

    def _remove_temporary(self) -> None:
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None


def _without(mark: Mark, piece: Piece) -> Mark:
    return replace(mark, unsent=[each for each in mark.unsent if each != piece])


def _said(error: Exception) -> str:
    said = masked(str((isinstance(error, OSError) and error.strerror) or error)) or repr(error)
    return said if isinstance(error, OSError | CrawlerError) else f"{type(error).__name__}: {said}"


__all__ = ["SentFeed", "Spool"]
