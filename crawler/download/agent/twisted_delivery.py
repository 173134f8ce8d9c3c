"""How does the body of one of the Agent's responses get to its fetch?"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

from typing import Protocol

from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss

from crawler.download.body import Body
from crawler.errors import FetchError


class Recipient(Protocol):
    """What is told once of what became of the body."""

    def complete(self, body: Body) -> None:
        """The body is there."""

    def body_broke(self, failure: Failure) -> None:
        """The body is worth nothing."""


class Delivery(TwistedProtocol):
    """Takes the body from the Agent; the fetch is told once what became of it."""

    def __init__(self, fetch: Recipient, body: Body, *, lenient: bool) -> None:
        self._fetch = fetch
        self._body = body
        self._lenient = lenient

    def dataReceived(self, data: bytes) -> None:
        if self._body.ended:
            return
        try:
            self._body.feed(data)
        except Exception:
            self._fetch.body_broke(Failure())
        else:
            if self._body.ended:
                self._fetch.complete(self._body)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        body = self._body
        if body.ended:
            return
        # A body without length or chunks ends with the connection: that is no error (RFC 9112, 6.3).
        whole = reason.check(ResponseDone, PotentialDataLoss) is not None
        if not whole and not self._lenient:
            body.discard()
            self._fetch.body_broke(reason)
            return
        try:
            body.end(None if whole else "dataloss")
        except FetchError:
            self._fetch.body_broke(Failure())
        else:
            self._fetch.complete(body)
