"""How is a feed's file written, cut and continued without ever losing a byte that counts?

An ``OutFile`` is locked (flock) while it is open, buffers, compresses, and knows its ``Position``: a length and
a digest of the last bytes before it, so that a file which is shorter or differs there is recognised. Nothing
before the position it was opened at is ever cut.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from crawler.feeds.compression import COMPRESSORS, decompressed
from crawler.feeds.marks import Position

DIGESTED = 4096
_BUFFER = 1 << 18


class NotAsMarked(Exception):
    """The file is shorter than its mark, or differs before it."""


class Locked(OSError):
    """Another process has the file open for writing."""


class OutFile:
    """One file, open and locked. Methods raise OSError."""

    def __init__(self, path: Path, suffix: str, *, follow: bool = True, fresh: bool = False) -> None:
        self.path = path
        self._suffix = suffix
        self._compressor = COMPRESSORS[suffix]()
        self._buffer: list[bytes] = []
        self._buffered = 0
        self._descriptor = _locked(path, os.O_CREAT | (0 if follow else os.O_NOFOLLOW))
        if fresh:
            os.ftruncate(self._descriptor, 0)
        self._physical = os.fstat(self._descriptor).st_size
        self._length = self._physical
        self._tail = self._read_tail(self._length)
        self._mend = b""
        self._opened_at = Position()

    @property
    def physical(self) -> int:
        """The size of the file on disk, what may be behind the position included."""
        return self._physical

    @property
    def empty(self) -> bool:
        """Whether nothing stands before the position."""
        return not self._length and not self._buffered

    def go_to(self, position: Position) -> None:
        """Continue at a position; what is behind it is cut when something is written. Raises NotAsMarked."""
        if self._physical < position.length:
            raise NotAsMarked(f"it has {self._physical} bytes, and {position.length} were written")
        tail = self._read_tail(position.length)
        if _digest(tail) != position.digest:
            raise NotAsMarked(f"its bytes before {position.length} are not those that were written")
        self._length = position.length
        self._tail = tail
        self._mend = self._compressor.mend(position.member)
        self._opened_at = position

    def clear(self) -> None:
        """Begin with nothing."""
        os.ftruncate(self._descriptor, 0)
        self._physical = self._length = 0
        self._tail = b""

    def go_back(self, count: int) -> None:
        """Continue ``count`` bytes before the end of a file that was not compressed."""
        self._length -= count
        self._tail = self._read_tail(self._length)

    def write(self, data: bytes) -> bool:
        """Take bytes; tell whether they, and all before them, were handed to the system."""
        if data:
            self._buffer.append(data)
            self._buffered += len(data)
        if self._buffered < _BUFFER:
            return False
        self.drain()
        return True

    def drain(self) -> None:
        """Hand everything to the system, so that ``position`` is exact."""
        if not self._buffer:
            return
        out = self._mend + self._compressor.write(b"".join(self._buffer))
        self._mend = b""
        self._buffer.clear()
        self._buffered = 0
        self._put(out)

    def sync(self) -> None:
        """Drain, and wait until it is on the disk."""
        self.drain()
        os.fsync(self._descriptor)

    def position(self) -> Position:
        """Return where the file ends if it were cut now; call it after ``drain``."""
        if self._mend:  # Nothing was written since: the member is as open as it was.
            return self._opened_at
        return Position(self._length, _digest(self._tail), self._compressor.state())

    def end(self, trailer: bytes) -> None:
        """Write the trailer and complete the member, and cut what is behind."""
        if trailer:
            self._buffer.append(trailer)
        if not self._length and not self._buffer and self._suffix:
            self._buffer.append(b"")  # A compressed file of nothing has one member of nothing.
        self.drain()
        self._put(self._mend + self._compressor.end())
        self._mend = b""

    def content(self) -> Iterator[bytes]:
        """Yield what stands before the position, decompressed. Raises ValueError if it cannot be."""
        return decompressed(self._descriptor, self._length, self._suffix)

    def like(self, other: OutFile) -> None:
        """Take over the permissions of another file."""
        os.fchmod(self._descriptor, os.fstat(other._descriptor).st_mode & 0o7777)

    def close(self) -> None:
        """Close without writing; the lock goes with it."""
        self._buffer.clear()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _put(self, data: bytes) -> None:
        if self._physical > self._length:
            os.ftruncate(self._descriptor, self._length)
            self._physical = self._length
        rest = memoryview(data)
        while rest:
            count = os.pwrite(self._descriptor, rest, self._length)
            self._length += count
            self._physical = self._length
            rest = rest[count:]
        self._tail = (self._tail + data[-DIGESTED:])[-DIGESTED:]

    def _read_tail(self, length: int) -> bytes:
        start = max(0, length - DIGESTED)
        return os.pread(self._descriptor, length - start, start)


def _digest(tail: bytes) -> str:
    return hashlib.blake2b(tail, digest_size=16).hexdigest()


def sync_folder(path: Path) -> None:
    """Make a new name in the folder of ``path`` survive a power cut."""
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _locked(path: Path, flags: int = 0) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The file that had this name may have been renamed over while we opened it.
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BlockingIOError as error:
            who = _holder(os.fstat(descriptor))
            os.close(descriptor)
            raise Locked(error.errno, f"{who} is writing to it") from error
        except FileNotFoundError:
            pass  # renamed or removed meanwhile: take the one that is there now
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def check_unlocked(path: Path) -> None:
    """Raise Locked if another process writes to this existing file."""
    os.close(_locked(path))


def _holder(status: os.stat_result) -> str:
    """Return who holds the lock, as far as the system tells (/proc/locks, Linux)."""
    try:
        for line in Path("/proc/locks").read_text().splitlines():
            words = line.split()
            if words[1:2] == ["FLOCK"] and words[5].rpartition(":")[2] == str(status.st_ino):
                return "this process" if int(words[4]) == os.getpid() else f"process {words[4]}"
    except (OSError, ValueError, IndexError):
        pass  # not Linux, or not readable: the message does without
    return "another process"
