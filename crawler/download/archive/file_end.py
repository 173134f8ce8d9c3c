"""How is an archive appended to, so that it ends in a whole record whatever happens?

A process that is killed while it writes leaves a part of a record; what is written behind it no reader finds.
So the file is read through before it is appended to, and cut there. What is not the end of an archive of ours
is never cut: a file that is none, or one that is damaged before its end.
"""

from __future__ import annotations

import fcntl
import os
import re
import zlib
from pathlib import Path
from typing import BinaryIO

_CHUNK = 1 << 16
_BUFFER = 1 << 20
_MOST_HEAD = 1 << 20
_LENGTH = re.compile(rb"(?im)^content-length[ \t]*:[ \t]*(\d{1,19})[ \t]*\r?$")
_MEMBER = b"\x1f\x8b\x08"
_RECORD = b"WARC/"


def whole_length(path: Path) -> int:
    """Return how many bytes of an archive its whole records have.

    Raises ValueError, continuing "the archive … ", if what follows them is not one unfinished record.
    """
    compressed = path.name.endswith(".gz")
    size = path.stat().st_size
    with path.open("rb") as file:
        end, torn = (_members if compressed else _records)(file, size)
        if end == size:
            return end
        if end == 0 and not torn:
            raise ValueError("is no WARC file" + (" that is compressed by gzip" if compressed else ""))
        if not torn and _goes_on(file, end + 1, compressed=compressed):
            raise ValueError(f"is damaged at byte {end}, and further records follow")
    return end


def _records(file: BinaryIO, size: int) -> tuple[int, bool]:
    """Return where the whole records end, and whether what follows is a record that wants more than there is."""
    end = 0
    while end < size:
        file.seek(end)
        head = file.read(_CHUNK)
        while (blank := head.find(b"\r\n\r\n")) < 0 and len(head) < _MOST_HEAD and (more := file.read(_CHUNK)):
            head += more
        if not _is_begun(head):
            return end, False
        if blank < 0:
            return end, len(head) < _MOST_HEAD
        length = _LENGTH.search(head, 0, blank + 2)
        if length is None:
            return end, False
        after = end + blank + 4 + int(length[1]) + 4
        if after > size:
            return end, True
        file.seek(after - 4)
        if file.read(4) != b"\r\n\r\n":
            return end, False
        end = after
    return end, False


def _members(file: BinaryIO, size: int) -> tuple[int, bool]:
    """Return the same of records that are compressed one by one."""
    end, data = 0, b""
    while end < size:
        inflate = zlib.decompressobj(wbits=31)
        begin, read = b"", 0
        while not inflate.eof:
            data = data or file.read(_CHUNK)
            if not data:
                return end, _is_begun(begin)
            read += len(data)
            try:
                while data and not inflate.eof:
                    piece = inflate.decompress(data, _CHUNK)
                    begin = (begin + piece)[: len(_RECORD)]
                    data = inflate.unconsumed_tail
            except zlib.error:
                return end, False
        data = inflate.unused_data
        if begin != _RECORD:
            return end, False
        end += read - len(data)
    return end, False


def _goes_on(file: BinaryIO, begin: int, *, compressed: bool) -> bool:
    """Tell whether a record begins somewhere behind ``begin``."""
    wanted = _MEMBER if compressed else b"\n" + _RECORD
    file.seek(begin)
    tail = b""
    while more := file.read(_CHUNK):
        data = tail + more
        place = data.find(wanted)
        while place >= 0:
            if not compressed or _begins_record(data[place:]):
                return True
            place = data.find(wanted, place + 1)
        tail = data[-512:]
    return False


def _is_begun(data: bytes) -> bool:
    """Tell whether it may be the beginning of a record."""
    return _RECORD.startswith(data[: len(_RECORD)])


def _begins_record(data: bytes) -> bool:
    try:
        return zlib.decompressobj(wbits=31).decompress(data, len(_RECORD)) == _RECORD
    except zlib.error:
        return False


class Output:
    """A file that is appended to and locked, ``length`` bytes long.

    Those of io would write what is left in their buffer behind a cut. Raises OSError.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._pieces: list[bytes] = []
        self._waiting = 0
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.close()
            raise BlockingIOError(error.errno, "another crawl is writing to it") from error
        self.length = os.fstat(self._descriptor).st_size

    def write(self, data: bytes) -> None:
        """Take bytes; raises OSError."""
        self._pieces.append(data)
        self._waiting += len(data)
        if self._waiting >= _BUFFER:
            self.flush()

    def flush(self) -> None:
        """Hand everything to the system; raises OSError."""
        rest = memoryview(b"".join(self._pieces))
        self._pieces, self._waiting = [], 0
        while rest:
            written = os.write(self._descriptor, rest)
            self.length += written
            rest = rest[written:]

    def cut(self, length: int) -> None:
        """Forget what is behind so many bytes; raises OSError."""
        self._pieces, self._waiting = [], 0
        os.ftruncate(self._descriptor, length)
        self.length = length

    def close(self) -> None:
        """Close it; what was not flushed is gone."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
