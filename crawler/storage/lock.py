"""Is another process working on this job?

An fcntl lock on a small file beside the job file: not on the job file itself, because closing any
descriptor of that would drop SQLite's own locks. The kernel lets go of it when the process dies, however
it dies. The process number in the file is text for people; nothing is decided by it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from crawler.errors import JobInUse, StoreError


class JobLock:
    """The lock of one job; ``path`` is the job file, the lock's is that with ".lock" behind it."""

    def __init__(self, path: Path) -> None:
        self._job = path
        self._path = path.with_name(path.name + ".lock")
        self._descriptor: int | None = None

    def __repr__(self) -> str:
        return f"<JobLock {self._path} {'held' if self._descriptor is not None else 'free'}>"

    def acquire(self) -> None:
        """Take the lock, unless it is held; raises JobInUse, or StoreError if the lock file cannot be made."""
        while self._descriptor is None:
            descriptor = self._locked()
            # Whoever removes a job takes its lock file away with it: a lock on that one keeps nobody out.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), self._path.stat()):
                    self._descriptor = descriptor
                    break
            os.close(descriptor)
        with contextlib.suppress(OSError):  # a full disk: the lock holds without the text
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def _locked(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(self._path, flags, 0o600)
        except OSError as error:
            raise StoreError(f"cannot lock the job {self._job}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            by = f" by process {owner}" if owner.isdigit() else ""
            raise JobInUse(f"the job {self._job.stem} is in use{by}") from error
        return descriptor

    def release(self) -> None:
        """Let go; does nothing if it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_locked(path: Path) -> bool:
    """Tell whether some process holds the lock of this job file."""
    lock = JobLock(path)
    if not lock._path.exists():
        return False
    try:
        lock.acquire()
    except JobInUse:
        return True
    except StoreError:
        return False
    lock.release()
    return False


def owner_of(path: Path) -> int:
    """Return the process that says in the lock file of this job file that it works on it; 0 if none does."""
    try:
        said = path.with_name(path.name + ".lock").read_text("ascii", "replace").strip()
    except OSError:
        return 0
    return int(said) if said.isdecimal() else 0
