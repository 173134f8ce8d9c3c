"""Whose callback was running when a worker died?

A page may kill the process that works on it, again and again. The worker names the request whose callback begins in a
file of eight bytes, which outlives it: writing there is a store to memory, no call. The process that waits for the
worker reads it, and only that request is charged with the death.
"""

from __future__ import annotations

import mmap
from pathlib import Path

_SIZE = 8


class Blame:
    """The worker's side: ``path`` is made, or emptied."""

    def __init__(self, path: str | Path) -> None:
        with Path(path).open("w+b") as file:
            file.write(bytes(_SIZE))
            file.flush()
            self._map = mmap.mmap(file.fileno(), _SIZE)
        self._words = memoryview(self._map).cast("q")

    def running(self, token: int) -> None:
        """The callback of this request begins; 0: none runs."""
        self._words[0] = token

    def close(self) -> None:
        """Let go of the file."""
        self._words.release()
        self._map.close()


def blamed(path: str | Path) -> int:
    """Return the token of the request whose callback ran last in a dead worker; 0 if none did."""
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        return 0
    return memoryview(content).cast("q")[0] if len(content) == _SIZE else 0
