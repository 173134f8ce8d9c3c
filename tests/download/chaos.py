"""A server that does what servers do at their worst.

Each connection is given to a script: a generator function that gets the request's head and yields what to
do next: bytes are written, a number is a pause in seconds, CLOSE closes, RESET resets, HANG stays silent.
After the script ends the connection waits for another request, unless the script said otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from twisted.internet.protocol import Factory, Protocol

from tests.download.reactor import reactor, run

CLOSE, RESET, HANG = "close", "reset", "hang"
Step = bytes | float | str
Script = Callable[[bytes], Iterator[Step]]


class _Connection(Protocol):
    def __init__(self, server: Chaos) -> None:
        self.server = server
        self.buffer = b""
        self.script: Iterator[Step] | None = None
        self.closed = False

    def connectionMade(self) -> None:
        self.server.connections.append(self)

    def dataReceived(self, data: bytes) -> None:
        self.buffer += data
        if self.script is None:
            self._next_request()

    def _next_request(self) -> None:
        head, end, rest = self.buffer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        size = int(length[1]) if length else 0
        if re.search(rb"(?i)\r\ntransfer-encoding: *chunked", head):
            if b"0\r\n\r\n" not in rest:
                return
            size = rest.index(b"0\r\n\r\n") + 5
        if not end or len(rest) < size:
            return
        self.server.requests.append(head + end + rest[:size])
        self.buffer = rest[size:]
        path = head.split(b" ")[1].decode()
        path = re.sub("^https?://[^/]*", "", path)
        script = self.server.scripts.get(path.partition("?")[0], not_found)
        self.script = script(head + end + rest[:size])
        self.step()

    def step(self) -> None:
        transport: Any = self.transport
        while not self.closed and self.script is not None:
            action = next(self.script, None)
            if action is None:
                self.script = None
                self._next_request()
            elif isinstance(action, bytes):
                transport.write(action)
            elif action == CLOSE:
                self.script = None
                transport.loseConnection()
                return
            elif action == RESET:
                self.script = None
                transport.abortConnection()
                return
            elif action == HANG:
                return
            else:
                reactor.callLater(action, self.step)
                return

    def connectionLost(self, reason: Any = None) -> None:
        self.closed = True
        if self.script is not None:
            self.script.close()  # type: ignore[attr-defined]  # generators have it


class Chaos:
    """The server; ``scripts`` maps paths to what happens there, ``requests`` are those that came."""

    def __init__(
        self, scripts: dict[str, Script] | None = None, *, interface: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.scripts: dict[str, Script] = dict(scripts or {})
        self.requests: list[bytes] = []
        self.connections: list[_Connection] = []
        factory: Any = Factory.forProtocol(lambda: _Connection(self))
        factory.noisy = False
        self._port: Any = reactor.listenTCP(port, factory, interface=interface)
        self.interface = interface
        self.port: int = self._port.getHost().port

    def url(self, path: str = "/", scheme: str = "http") -> str:
        """Return the URL of a path."""
        host = f"[{self.interface}]" if ":" in self.interface else self.interface
        return f"{scheme}://{host}:{self.port}{path}"

    @property
    def open(self) -> int:
        """How many connections are open."""
        return sum(not connection.closed for connection in self.connections)

    def close(self) -> None:
        """Stop listening and drop all connections; once is enough."""
        if self._port is None:
            return
        run(self._port.stopListening())
        self._port = None
        for connection in self.connections:
            if not connection.closed:
                connection.transport.abortConnection()  # type: ignore[union-attr]


def steps(*actions: Step) -> Script:
    """Return a script that does always the same."""

    def script(request: bytes) -> Iterator[Step]:
        yield from actions

    return script


def answer(body: bytes, *, status: bytes = b"200 OK", headers: bytes = b"") -> bytes:
    """Return a whole response; ``headers`` are lines that each end in CR LF."""
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n%b" % (status, len(body), headers, body)


def not_found(request: bytes) -> Iterator[Step]:
    """Answer 404."""
    yield answer(b"nothing here", status=b"404 Not Found")


def echo(request: bytes) -> Iterator[Step]:
    """Answer with the request."""
    yield answer(request)
