"""How is a new connection read by whoever asks for the next line, or for so many bytes?"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from crawler.download.net.interfaces import ConnectionProtocol
from crawler.errors import BadResponse, FetchError

# What is asked for in one piece, by a function, is no longer.
_MAX_HELD = 65_536


class Stream(ConnectionProtocol):
    """Reads what is asked for, by one reader at a time."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._wanted: int | Callable[[bytearray], int] = 0
        self._reading: Deferred[bytes] | None = None
        self._lost: Failure | None = None
        self._aborted = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} held={len(self._held)} lost={self._lost is not None}>"

    @property
    def unread(self) -> int:
        """How many bytes came that nobody asked for yet."""
        return len(self._held)

    def read(self, wanted: int | Callable[[bytearray], int]) -> Deferred[bytes]:
        """Return so many bytes, or up to the offset a function finds (-1: not yet); fails if the connection is lost."""
        reading: Deferred[bytes] = Deferred()
        self._reading = reading
        self._wanted = wanted
        self._try_read()
        if self._lost is not None and self._reading is not None:
            self._reading = None
            reading.errback(self._lost)
        return reading

    def write(self, data: bytes) -> None:
        """Send these bytes."""
        self.transport.write(data)

    def dataReceived(self, data: bytes) -> None:
        self._held += data
        self._try_read()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._lost = reason
        reading, self._reading = self._reading, None
        if reading is not None and not reading.called:
            reading.errback(reason)

    def _try_read(self) -> None:
        reading, wanted = self._reading, self._wanted
        if reading is None:
            return
        enough = wanted if isinstance(wanted, int) else wanted(self._held)
        end = enough if enough <= len(self._held) else -1
        if end < 0 and len(self._held) <= max(enough, _MAX_HELD):
            return
        self._reading = None
        if reading.called:
            return
        if end < 0:
            reading.errback(Failure(self._too_long(_MAX_HELD)))
            return
        found = bytes(self._held[:end])
        del self._held[:end]
        reading.callback(found)

    def _too_long(self, size: int) -> FetchError:
        return BadResponse(f"a line of the answer is longer than {size} bytes")

    def abort(self) -> None:
        """Cut the connection off."""
        self._aborted = True
        if self.transport is not None:
            self.transport.abortConnection()
