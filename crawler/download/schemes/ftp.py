"""How is a file fetched from an FTP server?

``SCHEMES = {"ftp": "crawler.download.ftp.FtpDownloader"}``. Over Twisted's own client, passive only. The
data connection goes to the address of the control connection, whatever host the server's PASV answer
names: a server must not make us connect to others (RFC 2577, section 3).
"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from crawler.download.tcp import TcpDownloader, TcpFetch
from crawler.errors import BadResponse, ConnectionLost, FetchError
from crawler.model.response import Response

_MOST_LINES = 1000
"""Longest answer on the control connection, in lines."""


class FtpDownloader(TcpDownloader):
    """The Downloader of ``ftp:``. A path that ends in "/" gives the server's listing as text.

    Name and password come from the URL, else from meta ``ftp_user`` and ``ftp_password`` (Scrapy's), else
    "anonymous". A file that is not there is an answer of status 404.
    """

    port = 21
    protocol = "FTP"

    async def converse(self, fetch: TcpFetch) -> Response:
        """See TcpDownloader."""
        path = unquote(fetch.url.path, "latin-1")
        if any(ord(character) < 0x20 or ord(character) == 0x7F for character in path):
            raise FetchError("the path has control characters, which would be commands")
        client = self._client(fetch)
        await fetch.dial(client)
        fetch.exchange.sent = True
        if not fetch.begin({}):
            return fetch.response()
        from twisted.protocols.ftp import CommandFailed

        receiving = _Receiving(fetch, client)
        get = client.list if path.endswith("/") else client.retrieveFile
        refused: CommandFailed | None = None
        try:
            await get(path, receiving)
        except CommandFailed as error:
            refused = error
        except Exception:
            if receiving.problem is None:
                raise
        if receiving.problem is not None:  # of several problems the first tells
            raise receiving.problem
        if refused is not None:
            return fetch.response(status=_status_of(refused), reason="Not Found")
        return fetch.response()

    def _client(self, fetch: TcpFetch) -> Any:
        meta = fetch.request.meta
        user = fetch.url.username or str(meta.get("ftp_user", "anonymous"))
        password = fetch.url.password or str(meta.get("ftp_password", "guest@example.com"))
        if any(character in user + password for character in "\r\n\0"):
            raise FetchError("the user name or password has control characters")
        client = _client_class()(user, password, passive=1, trustPasvAddr=False)
        client.connectFactory = self.network.reactor.connectTCP
        return client

    def explain(self, cause: BaseException) -> FetchError:
        """Return what Twisted's client wrapped into its own errors."""
        from twisted.protocols.ftp import FTPError

        inner = next((each for each in _causes(cause) if isinstance(each, FetchError)), cause)
        if isinstance(inner, FTPError):
            return ConnectionLost(f"the FTP exchange failed: {cause}")
        return super().explain(inner)


class _Receiving(Protocol):
    """The data connection: hands on what comes, and ends both connections at the first problem."""

    def __init__(self, fetch: TcpFetch, client: Any) -> None:
        self._fetch = fetch
        self._client = client
        self.problem: FetchError | None = None

    def dataReceived(self, data: bytes) -> None:
        try:
            self._fetch.receive(data)
        except FetchError as error:
            self.problem = error
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


def _status_of(error: BaseException) -> int:
    """Return the status of a refused transfer; raise the FetchError of any other refusal."""
    lines = error.args[0] if error.args else []
    last = str(lines[-1]) if lines else ""
    if last.startswith("550"):
        return 404
    raise FetchError(f"the FTP server refused: {last[:200]}")


def _causes(cause: BaseException) -> Iterator[BaseException]:
    for argument in cause.args:
        value = argument.value if isinstance(argument, Failure) else argument
        if isinstance(value, BaseException):
            yield value
            yield from _causes(value)
