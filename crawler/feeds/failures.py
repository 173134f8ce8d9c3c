"""What does a user read when a feed cannot be written?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from crawler.errors import FeedError, OutputError
from crawler.feeds.outfile import NotAsMarked, check_unlocked


@contextmanager
def named_errors(
    feed: str, path: str, kind: type[OutputError] | type[FeedError], failed: Callable[[], None]
) -> Iterator[None]:
    """Turn whatever goes wrong inside into an error of ``kind`` that names feed and file, calling ``failed`` first."""
    try:
        yield
    except OutputError:
        raise
    except Exception as error:
        failed()
        if isinstance(error, FeedError):
            raise
        reason: object = (isinstance(error, OSError) and error.strerror) or error
        if not isinstance(error, OSError | ValueError):  # a format of the user's raised
            reason = f"{type(error).__name__}: {error}"
        if isinstance(error, NotAsMarked):
            reason = (
                f"it cannot be continued: {error}; put it back as it was, or give the resume another output for "
                """the items that are still to come: -s 'FEEDS={"other.jsonl": {}}'"""
            )
        elif kind is OutputError and isinstance(error, ValueError):
            reason = f"it cannot be appended to: it {error}"
        raise kind(f"feed {feed!r}: {path}: {reason}") from error


def check_place(feed: str, path: Path, root: Path) -> None:
    """Raise OutputError if a file at ``path``, below the folder ``root``, cannot be written; changes nothing."""
    if not root.is_dir():
        raise OutputError(f"feed {feed!r}: there is no folder {root}")
    if path.is_dir():
        raise OutputError(f"feed {feed!r}: {path} is a folder")
    if path.exists() and not path.is_file():
        raise OutputError(f"feed {feed!r}: {path} is no file")
    place = path if path.exists() else next(parent for parent in path.parents if parent.exists())
    if not os.access(place, os.W_OK):
        raise OutputError(f"feed {feed!r}: no permission to write {place}")
    room = os.statvfs(place)
    if room.f_blocks and not room.f_bavail:  # no blocks at all: a file system that does not say (statvfs of some FUSE)
        raise OutputError(f"feed {feed!r}: no space is left for {path}")
    if place == path:
        check_unlocked(path)
