"""How is a file fetched from an FTP server?

``SCHEMES = {"ftp": "crawler.download.ftp.FtpDownloader"}``. Over Twisted's own client, passive only. The
data connection goes to the address of the control connection, whatever host the server's PASV answer
names: a server must not make us connect to others (RFC 2577, section 3).
"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.error import ConnectingCancelledError
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

from crawler.config.schema import CoreSettings
from crawler.download.body import Body, BodyRules
from crawler.download.net.dial import Dialler
from crawler.download.net.failures import translate
from crawler.download.net.names import Names
from crawler.download.net.resolvers import SystemLookup
from crawler.download.net.route import Route
from crawler.download.request_limits import seconds_of
from crawler.download.seam import Exchange, Head
from crawler.errors import BadResponse, ConnectionLost, FetchCancelled, FetchError, FetchTimeout
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import UrlParts, split

_MOST_LINES = 1000
"""Longest answer on the control connection, in lines."""


class FtpDownloader:
    """The Downloader of ``ftp:``. A path that ends in "/" gives the server's listing as text.

    Name and password come from the URL, else from meta ``ftp_user`` and ``ftp_password`` (Scrapy's), else
    "anonymous". A file that is not there is an answer of status 404.
    """

    def __init__(self, settings: CoreSettings, *, reactor: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._reactor = reactor
        self._clock = clock
        self._names = Names(SystemLookup(reactor), reactor=reactor, clock=clock, timeout=settings.DNS_TIMEOUT)
        self._dialler = Dialler(
            reactor,
            self._names,
            timeout=settings.DOWNLOAD_CONNECT_TIMEOUT,
            deny_private=settings.DENY_PRIVATE_ADDRESSES,
        )
        self._under_way: set[Deferred[Response]] = set()

    def __repr__(self) -> str:
        return f"<FtpDownloader {len(self._under_way)} under way>"

    def fetch(self, request: Request, exchange: Exchange | None = None) -> Deferred[Response]:
        """See crawler.download.seam.Downloader."""
        exchange = exchange or Exchange()
        fetching = Deferred.fromCoroutine(self._fetch(request, exchange))
        late: list[float] = []
        seconds = seconds_of(request.meta, self._settings.DOWNLOAD_TIMEOUT)

        def too_late() -> None:
            late.append(seconds)
            fetching.cancel()

        timer = self._reactor.callLater(seconds, too_late) if seconds else None
        self._under_way.add(fetching)

        def ended(result: Any) -> Any:
            self._under_way.discard(fetching)
            if timer is not None and timer.active():
                timer.cancel()
            if not isinstance(result, Failure):
                return result
            error = _as_fetch_error(result.value, late)
            error.request, error.sent = request, exchange.sent
            return Failure(error)

        return fetching.addBoth(ended)

    async def _fetch(self, request: Request, exchange: Exchange) -> Response:
        parts = split(request.url)
        path = unquote(parts.path, "latin-1")
        if any(ord(character) < 0x20 or ord(character) == 0x7F for character in path):
            raise FetchError("the path has control characters, which would be commands")
        client = await self._connect(request, parts)
        exchange.sent = True
        exchange.remote = client.transport.getPeer().host
        try:
            return await self._retrieve(client, request, path, exchange)
        finally:
            client.transport.abortConnection()

    async def _connect(self, request: Request, parts: UrlParts) -> Any:
        make = _client_class()
        user = parts.username or str(request.meta.get("ftp_user", "anonymous"))
        password = parts.password or str(request.meta.get("ftp_password", "guest@example.com"))
        if any(character in user + password for character in "\r\n\0"):
            raise FetchError("the user name or password has control characters")

        def build() -> Any:
            client = make(user, password, passive=1, trustPasvAddr=False)
            client.connectFactory = self._reactor.connectTCP
            return client

        factory: Any = Factory.forProtocol(build)
        factory.noisy = False
        dialling = self._dialler.dial(parts.host, parts.port or 21, factory)
        route = Route(None, f"http://{parts.host}:{parts.port or 21}", None, None)
        return await dialling.addErrback(lambda failure: Failure(translate(failure, route)))

    async def _retrieve(self, client: Any, request: Request, path: str, exchange: Exchange) -> Response:
        from twisted.protocols.ftp import CommandFailed

        headers, began = Headers(), self._clock()
        problems: list[Any] = []
        rules = BodyRules(self._settings, request)
        body = Body(request, headers, rules, tap=exchange.tap, done=lambda _: None, failed=problems.append)
        flag = status = None
        if exchange.on_head is not None and not exchange.on_head(request, Head(200, b"OK", headers, "FTP")):
            flag = "stopped"
        else:
            get = client.list if path.endswith("/") else client.retrieveFile
            try:
                await get(path, _Receiving(body, problems, client))
            except CommandFailed as error:
                status = _status_of(error)
            except BaseException as error:
                body.fail(error)  # of several problems the first tells
                raise problems[0] from None
        body.end(flag)
        if problems:
            raise problems[0]
        content, file = body.result()
        return Response(
            request.url,
            status or 200,
            headers,
            content,
            flags=body.flags,
            request=request,
            protocol="FTP",
            latency=self._clock() - began,
            body_file=file,
            reason="OK" if status is None else "Not Found",
        )

    def close(self) -> Deferred[None]:
        """See crawler.download.seam.Downloader."""
        for fetching in list(self._under_way):
            fetching.cancel()
        self._names.close()
        return succeed(None)


class _Receiving(Protocol):
    """The data connection: hands on what comes, and ends both connections at the first problem."""

    def __init__(self, body: Body, problems: list[Any], client: Any) -> None:
        self._body = body
        self._problems = problems
        self._client = client

    def dataReceived(self, data: bytes) -> None:
        self._body.dataReceived(data)
        if self._problems:
            self._client.transport.abortConnection()


def _client_class() -> Any:
    # Imported late: Twisted's module takes the global reactor when it is imported.
    from twisted.protocols.ftp import FTPClient

    client: Any = FTPClient

    class BoundedClient(client):  # type: ignore[misc]  # Twisted's class has no types
        def lineReceived(self, line: bytes) -> None:
            if len(self.response) >= _MOST_LINES:
                self.fail(Failure(BadResponse(f"an answer of more than {_MOST_LINES} lines")))
                return
            super().lineReceived(line)

    return BoundedClient


def _status_of(error: Any) -> int:
    """Return the status of a refused transfer; raise the FetchError of any other refusal."""
    lines = error.args[0] if error.args else []
    last = str(lines[-1]) if lines else ""
    if last.startswith("550"):
        return 404
    raise FetchError(f"the FTP server refused: {last[:200]}")


def _as_fetch_error(cause: Any, late: list[float]) -> FetchError:
    if late:
        return FetchTimeout(f"not complete after {late[0]:g} s", phase="total")
    if isinstance(cause, CancelledError) or isinstance(cause.__cause__, ConnectingCancelledError):
        return FetchCancelled("the fetch was cancelled")
    if isinstance(cause, FetchError):
        return cause
    inner = next((each for each in _causes(cause) if isinstance(each, FetchError)), None)
    error = inner or ConnectionLost(f"the FTP exchange failed: {cause}")
    error.__cause__ = cause
    return error


def _causes(cause: Any) -> Any:
    for argument in getattr(cause, "args", ()):
        value = argument.value if isinstance(argument, Failure) else argument
        if isinstance(value, BaseException):
            yield value
            yield from _causes(value)
