"""How are files made that are nobody else's business: pages behind a login, cookies, queues?

With their mode from their first moment: a chmod afterwards leaves time to open them, and a mode is not asked
for again by those who have. SQLite gives its companions (-wal, -shm) the mode that the database has.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def make_private_folder(path: Path) -> None:
    """Make a folder and those above it that are missing, all of mode 0700; raises OSError."""
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


def make_private_file(path: Path, *companions: str) -> None:
    """Make a file of mode 0600, or give an old one, and what has its name with ``companions``, that mode.

    Raises OSError.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for companion in ("", *companions):
        each = path.with_name(path.name + companion)
        # It may be another user's, whose business it is to share it, and SQLite removes a companion that nobody uses.
        with suppress(PermissionError, FileNotFoundError):
            if each.stat().st_mode & 0o077:
                each.chmod(0o600)


def write_private_file(path: Path, data: bytes) -> None:
    """Write a file that nobody else can read at any time, in the place of an old one. Raises OSError."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    # O_EXCL follows no link that somebody has laid there, and takes no file that he holds open.
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
