"""What must a downloader be able to do, and how may one exchange be watched?

A downloader sends exactly one exchange: no redirects, retries, cookies or default headers beyond what
HTTP itself needs. Everything around it (middlewares, policies) is written against this module alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


class Head(NamedTuple):
    """The head of a response; ``protocol`` is "HTTP/1.0", "HTTP/1.1" or "h2"."""

    status: int
    reason: bytes
    headers: Headers
    protocol: str


OnHead = Callable[[Request, Head], bool]
Tap = Callable[[bytes], None]


class Exchange:
    """How one fetch is watched and steered; make a new one for each fetch, every part is optional.

    The caller sets:
      ``on_head(request, head)``: called when the head is complete; False stops there, and the response
        comes with the flag "stopped" and what had arrived of its body;
      ``tap(data)``: gets the undecoded bytes of the body as they arrive (transfer coding removed,
        content coding not);
      ``keep_raw``: keep the heads as they were on the wire.

    The downloader fills in:
      ``request_head``, ``response_head``: the raw heads, if ``keep_raw`` (made up in HTTP/1.1 form for h2);
      ``sent``: whether any byte of the request left this machine;
      ``remote``: the address that was dialled, "" until there is a connection.
    """

    __slots__ = ("keep_raw", "on_head", "remote", "request_head", "response_head", "sent", "tap")

    def __init__(self, *, on_head: OnHead | None = None, tap: Tap | None = None, keep_raw: bool = False) -> None:
        self.on_head = on_head
        self.tap = tap
        self.keep_raw = keep_raw
        self.request_head = b""
        self.response_head = b""
        self.sent = False
        self.remote = ""

    def __repr__(self) -> str:
        return f"<Exchange sent={self.sent} remote={self.remote!r}>"


class Downloader(Protocol):
    """Sends one exchange at a time for each call; many calls may be under way at once."""

    def fetch(self, request: Request, exchange: Exchange | None = None) -> Deferred[Response]:
        """Send the request and return the whole response.

        Fails with a FetchError (``.request`` and ``.sent`` set) and nothing else. Cancelling the
        Deferred ends the exchange at once and fails it with FetchCancelled.
        """

    def close(self) -> Deferred[None]:
        """Close idle connections and fail what is under way; fires when all are gone."""
