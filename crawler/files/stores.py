"""Where do files lie that belong to items, and how does each come there whole?

A body comes in as a file in the store's ``incoming`` folder. A folder takes it by a rename, when it is on the disk; any
other store by an upload. So a file of the store is whole or not there, whenever the process is killed.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from hashlib import file_digest, md5
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple, Protocol

from crawler.errors import LocalFailure, SettingError

INCOMING = ".incoming"
"""The folder within a store in which bodies come in."""

ABANDONED_SECONDS = 24 * 3600.0
"""What came in before that, and was not kept, is of no use any more."""

PROBE = "crawler-may-write-here"
"""What is written and removed before the crawl, to see whether the store takes files."""

# These are the store's, whatever name is written to: the next file would meet them too.
_LOCAL = frozenset(
    (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.EACCES, errno.EPERM)
)


class Unusable(Exception):
    """What came is not what was asked for; the message says why, ``kind`` is one word for the counters."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def refused(error: OSError, setting: str) -> LocalFailure | Unusable:
    """Return what it means that the disk did not take a file: that file's name is at fault, or the store is."""
    said = f"{setting}: {error.strerror or error}"
    return LocalFailure(said) if error.errno in _LOCAL else Unusable("name", said)


class Kept(NamedTuple):
    """A file of the store: its path there, MD5 (hex), and when it was written (seconds since the epoch)."""

    path: str
    checksum: str
    modified: float


class Store(Protocol):
    """Where files are kept. All methods may block, and are called in several threads at once."""

    incoming: Path
    threads: int
    """So many files are kept at once, at least."""

    def check(self) -> set[str]:
        """See that files can be written; return the names of what lies in ``incoming``. Raises SettingError."""

    def find(self, path: str) -> Kept | None:
        """Return the file of this path; of one that ends in "/" the file in that folder; None: there is none."""

    def keep(self, file: Path, path: str) -> str:
        """Take a local file away and keep it, whole, in place of what is there; return its MD5 (hex).

        Raises OSError; LocalFailure, if the store takes none.
        """

    def close(self) -> None:
        """Nothing more is kept."""


def md5_of(file: Path) -> str:
    """Return the MD5 of a file (hex): what Scrapy calls the checksum. Nothing depends on it that must be secure."""
    with file.open("rb") as body:
        return _md5(body)


def _md5(body: BufferedReader) -> str:
    return file_digest(body, lambda: md5(usedforsecurity=False)).hexdigest()


def prepare(incoming: Path, *, setting: str) -> set[str]:
    """Make the folder for what comes in; write a file there and remove it, and what kills of long ago have left.

    Returns the names of what later ones have left. Raises SettingError.
    """
    try:
        incoming.mkdir(parents=True, exist_ok=True)
        probe = incoming / f"{PROBE}.{os.getpid()}"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        said = f"{setting}: no file can be written to {incoming.parent}: {error.strerror}"
        raise SettingError(f"{said}; name a folder that can be written") from error
    before = time.time() - ABANDONED_SECONDS
    there = set()
    for left in incoming.iterdir():
        with suppress(OSError):  # another worker removes it, too
            if left.stat().st_mtime < before:
                left.unlink()
            else:
                there.add(left.name)
    return there


class FolderStore:
    """A Store in a folder. ``setting`` names it in errors."""

    threads = 1

    def __init__(self, root: Path, *, setting: str) -> None:
        self._root = root.absolute()
        self._setting = setting
        self.incoming = self._root / INCOMING

    def __repr__(self) -> str:
        return f"<FolderStore {self._root}>"

    def check(self) -> set[str]:
        """See that a file can be written; return what lies in ``incoming``. Raises SettingError."""
        return prepare(self.incoming, setting=self._setting)

    def find(self, path: str) -> Kept | None:
        """Return the file of this path; of one that ends in "/" the file in that folder; None: there is none."""
        file = self._root / path
        try:
            if path.endswith("/"):
                file = next(file.iterdir())
            modified = file.stat().st_mtime
            return Kept(file.relative_to(self._root).as_posix(), md5_of(file), modified)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, StopIteration):
            return None

    def keep(self, file: Path, path: str) -> str:
        """Put the file on the disk, then give it its name; return its MD5."""
        final = self._root / path
        with file.open("rb") as body:
            checksum = _md5(body)
            os.fsync(body.fileno())
        try:
            file.replace(final)
        except FileNotFoundError:
            final.parent.mkdir(parents=True, exist_ok=True)
            file.replace(final)
        folder = os.open(final.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return checksum

    def close(self) -> None:
        """Nothing is open."""
