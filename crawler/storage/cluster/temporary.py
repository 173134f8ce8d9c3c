"""Where do files lie that are of use only while some processes live, and who removes them when these were killed?

A folder is locked by the process that makes it, and by those to which that hands the lock. Whoever makes the next one
removes what is left: the folders of the same user that nobody has locked any more.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path

SOCKET = "s"
"""The name that a server's socket has in its folder."""

NEW_SECONDS = 60.0
"""So young a folder may be one that is not yet locked."""


class TemporaryFolder:
    """A folder with mode 0700; ``lock`` is the descriptor that a process inherits which needs it, too.

    ``prefix``: what its name begins with, ``parent``: where it lies (None: where temporary files do).
    """

    def __init__(self, prefix: str, parent: str | None = None) -> None:
        parent = parent or tempfile.gettempdir()
        _remove_left(prefix, parent)
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        self.lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        locked(self.lock)

    def __repr__(self) -> str:
        return f"<TemporaryFolder {self.path}>"

    def end(self) -> None:
        """Remove it with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.lock)


def locked(descriptor: int) -> bool:
    """Take the lock of an open file or folder, unless somebody has it; tell whether it was taken."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove_left(prefix: str, parent: str) -> None:
    for folder in Path(parent).glob(f"{prefix}*"):
        with suppress(OSError):  # somebody else is removing it
            about = folder.lstat()
            if about.st_uid == os.getuid() and about.st_mtime < time.time() - NEW_SECONDS:
                _remove_unlocked(folder)


def _remove_unlocked(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if locked(descriptor) and not _listens(folder / SOCKET):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)


def _listens(path: Path) -> bool:
    """Tell whether a server is there: one of an earlier version has no lock."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as one:
        one.connect(str(path))
        return True
    return False
