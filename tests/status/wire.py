"""A status page without sockets: connections in memory, and a clock that is turned by hand."""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPResponse
from io import BytesIO
from typing import Any, NamedTuple

from msgspec import json
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from crawler.status.channel import Channel, Site
from crawler.status.complaints import Complaints
from crawler.status.guard import Guard
from crawler.status.pages import Pages
from crawler.status.routes import Do, crawl_routes
from crawler.status.streams import Streams
from tests.observe.board.made_up import MadeUp

TOKEN = "a-token-that-nobody-guesses"
PORT = 8123
HOST = f"127.0.0.1:{PORT}"


class Reply(NamedTuple):
    """A response; ``values()`` reads its JSON."""

    status: int
    headers: dict[str, str]
    body: bytes

    def values(self) -> Any:
        return json.decode(self.body)


class Wire(StringTransport):
    """A socket's two ends; ``half_closed``: nothing more is written."""

    half_closed = False
    connection_lost: Callable[[], None]

    def loseWriteConnection(self) -> None:
        self.half_closed = True

    def abortConnection(self) -> None:
        super().abortConnection()
        self.connection_lost()


class Connection:
    """A client's side of one connection."""

    def __init__(self, site: Site) -> None:
        self.channel: Any = site.buildProtocol(IPv4Address("TCP", "127.0.0.1", 40000))
        self.wire = Wire(IPv4Address("TCP", "127.0.0.1", PORT), IPv4Address("TCP", "127.0.0.1", 40000))
        self.wire.connection_lost = self.lose
        self.lost = False
        assert isinstance(self.channel, Channel)
        self.channel.makeConnection(self.wire)

    def send(self, data: bytes) -> None:
        self.channel.dataReceived(data)

    def lose(self) -> None:
        """The connection is gone."""
        if not self.lost:
            self.lost = True
            self.channel.connectionLost()

    @property
    def written(self) -> bytes:
        """What was written since it was last asked for."""
        written: bytes = self.wire.value()
        self.wire.clear()
        return written

    def reply(self, method: str = "GET") -> Reply:
        """Read one response, which has to be there whole."""
        return reply_of(self.written, method)

    def ask(self, path: str, method: str = "GET", *, body: bytes = b"", **headers: Any) -> Reply:
        """Send a request with the token as Bearer, unless headers are given, and read the response."""
        self.send(request(path, method, body=body, **(headers or {"authorization": f"Bearer {TOKEN}"})))
        return self.reply(method)


class _Socket:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> BytesIO:
        return BytesIO(self._data)


def reply_of(data: bytes, method: str = "GET") -> Reply:
    """Read a response by an implementation that is not ours."""
    response = HTTPResponse(_Socket(data), method=method)  # type: ignore[arg-type]  # it wants makefile() alone
    response.begin()
    return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


def request(path: str, method: str = "GET", *, body: bytes = b"", **headers: Any) -> bytes:
    """Return a request; ``_`` in names of headers stands for "-", and Host is right unless it is given."""
    given = {"host": HOST, **headers}
    if body:
        given |= {"content_length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name.replace('_', '-')}: {value}" for name, value in given.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Served:
    """The status page of a made-up crawl. ``did`` has the lines of words that were posted."""

    def __init__(
        self, *, control: bool = False, source: Any = None, metrics: Callable[[], bytes] | None = None
    ) -> None:
        self.clock: Any = Clock()
        self.source = source or MadeUp()
        self.did: list[str] = []
        self.complaints = Complaints()
        self.streams = Streams(self.source, self.complaints, self.clock, control=control)
        self.site = Site(self.complaints, self.clock)
        do: Do | None = self._do if control else None
        routes = crawl_routes(self.source, self.streams, do=do, metrics=metrics)
        self.site.answering = Pages(Guard(TOKEN, port=PORT), routes)

    async def _do(self, words: str) -> list[str]:
        self.did.append(words)
        return [f"did {words}"]

    def connect(self) -> Connection:
        return Connection(self.site)

    def ask(self, path: str, method: str = "GET", *, body: bytes = b"", **headers: Any) -> Reply:
        """Ask as ``Connection.ask`` does, by a connection of its own."""
        connection = self.connect()
        reply = connection.ask(path, method, body=body, **headers)
        connection.lose()
        return reply

    def cookie(self) -> str:
        """Open the printed address, as a browser does; return what it sends from then on."""
        reply = self.ask(f"/?token={TOKEN}", host=HOST)
        assert reply.status == 303
        return reply.headers["set-cookie"].partition(";")[0]

    def listen(self) -> Connection:
        """Open the events."""
        connection = self.connect()
        connection.send(request("/events", authorization=f"Bearer {TOKEN}"))
        return connection
