"""Servers that say exactly what a test tells them, in the same reactor as the client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.defer import Deferred
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol

from crawler.config.schema import CoreSettings
from crawler.download.http import FastDownloader
from crawler.download.seam import Exchange
from crawler.model.request import Request
from crawler.model.response import Response


class World:
    """One reactor, its servers and its downloaders."""

    def __init__(self, kind: str = "epoll") -> None:
        self.kind = kind
        self.loop = asyncio.new_event_loop() if kind == "asyncio" else None
        # It is never run(), only turned.
        self.reactor: Any = EPollReactor() if self.loop is None else AsyncioSelectorReactor(self.loop)
        self.downloaders: list[Any] = []
        self.ports: list[Any] = []

    def turn(self) -> None:
        if self.loop is not None:
            self.loop.call_later(0.005, self.loop.stop)
            self.loop.run_forever()
        else:
            self.reactor.iterate(0.005)

    def until(self, condition: Callable[[], bool], seconds: float = 10.0) -> None:
        limit = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < limit, "it did not happen in time"
            self.turn()

    def wait(self, deferred: Deferred[Any], seconds: float = 10.0) -> Any:
        """The result; raises what it failed with."""
        results: list[Any] = []
        failures: list[Any] = []
        deferred.addCallbacks(results.append, failures.append)
        self.until(lambda: bool(results or failures), seconds)
        if failures:
            failures[0].raiseException()
        return results[0]

    def settings(self, **changes: Any) -> CoreSettings:
        return msgspec.structs.replace(CoreSettings(), **changes)

    def downloader(self, *, lookup: Any = None, **changes: Any) -> FastDownloader:
        made = FastDownloader(self.settings(**changes), reactor=self.reactor, lookup=lookup)
        self.downloaders.append(made)
        return made

    def fetch(self, url: str, *, exchange: Exchange | None = None, settings: Any = None, **request: Any) -> Response:
        """Fetch with a downloader of its own."""
        downloader = self.downloader(**(settings or {}))
        result: Response = self.wait(downloader.fetch(Request(url, **request), exchange))
        return result

    def listen(self, script: Callable[[Conversation], None], *, host: str = "127.0.0.1", wrap: Any = None) -> Server:
        server = Server(script)
        factory = wrap(server) if wrap is not None else server
        port = self.reactor.listenTCP(0, factory, interface=host)
        self.ports.append(port)
        server.later = lambda function: self.reactor.callLater(0, function)
        server.port = port.getHost().port
        server.host = host
        return server

    def close(self) -> None:
        for downloader in self.downloaders:
            self.wait(downloader.close())
        for port in self.ports:
            stopped = port.stopListening()
            if stopped is not None:
                self.wait(stopped)
        for port in self.ports:
            for conversation in list(getattr(getattr(port, "factory", None), "conversations", [])):
                conversation.transport.abortConnection()
        for _ in range(3):
            self.turn()
        left = [call for call in self.reactor.getDelayedCalls() if call.active()]
        for call in left:
            call.cancel()
        self.reactor.removeAll() if self.loop is None else self.loop.close()


class Conversation(Protocol):
    """One connection of a server. ``script(conversation)`` is called for each request that is complete."""

    server: Server

    def connectionMade(self) -> None:
        self.buffer = b""
        self.requests: list[bytes] = []
        self.lost = False
        self.server.conversations.append(self)

    def dataReceived(self, data: bytes) -> None:
        self.buffer += data
        while (request := self._complete()) is not None:
            self.requests.append(request)
            self.server.requests.append(request)
            self.server.script(self)

    def _complete(self) -> bytes | None:
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return None
        size = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                size = int(line.partition(b":")[2])
            if line == b"transfer-encoding: chunked":
                end = rest.find(b"0\r\n\r\n")
                if end < 0:
                    return None
                size = end + 5
        if len(rest) < size:
            return None
        self.buffer = rest[size:]
        return head + found + rest[:size]

    def connectionLost(self, reason: Any = ConnectionDone) -> None:
        self.lost = True

    @property
    def request(self) -> bytes:
        """The latest request."""
        return self.requests[-1]

    def say(self, data: bytes, *, close: bool = False) -> None:
        self.transport.write(data)
        if close:
            self.transport.loseConnection()

    def say_in_pieces(self, pieces: Iterator[bytes] | list[bytes], *, close: bool = False) -> None:
        """One piece in each turn of the reactor, so that the client reads each alone."""
        pieces = iter(pieces)

        def more() -> None:
            piece = next(pieces, None)
            if self.lost:
                return
            if piece is None:
                if close:
                    self.transport.loseConnection()
                return
            self.transport.write(piece)
            self.server.later(more)

        more()


class Server(Factory):
    noisy = False
    protocol = Conversation
    port = 0
    host = ""

    def __init__(self, script: Callable[[Conversation], None]) -> None:
        self.script = script
        self.requests: list[bytes] = []
        self.conversations: list[Conversation] = []
        self.later: Callable[[Callable[[], None]], Any] = lambda function: None

    def buildProtocol(self, addr: Any) -> Conversation:
        made = Conversation()
        made.server = self
        made.factory = self
        return made

    def url(self, path: str = "/", scheme: str = "http") -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}{path}"


def answer(body: bytes = b"hello", *, status: bytes = b"200 OK", headers: bytes = b"") -> bytes:
    """A plain response."""
    return b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, headers, len(body), body)


def cuts(data: bytes) -> list[int]:
    """The offsets at which a cut may matter: around every CR and LF, and after the first bytes."""
    near = {offset + step for offset, byte in enumerate(data) if byte in b"\r\n" for step in (0, 1)}
    return sorted(offset for offset in near | {1, 5, len(data) - 1} if 0 < offset < len(data))
