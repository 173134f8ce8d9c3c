"""A chain around a downloader that only notes what it was given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, execute

from crawler.download.middleware.chain import Middleware, compile_chain
from crawler.download.seam import Exchange, Head
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response

Answer = Callable[[Request], Response]


def plain(request: Request) -> Response:
    """Answer 200."""
    return Response(request.url, request=request)


class Stage:
    """``fetch(request)`` goes through the middlewares; ``sent`` is what came out, ``again`` second calls."""

    def __init__(self, middlewares: Sequence[Middleware], answer: Answer = plain) -> None:
        self.answer = answer
        self.sent: list[Request] = []
        self.again: list[Request] = []
        self._chain = compile_chain(middlewares, self._download, self._again)

    def _download(self, request: Request, exchange: Exchange | None) -> Deferred[Response]:
        return execute(self._answer, request, exchange)

    def _answer(self, request: Request, exchange: Exchange | None) -> Response:
        self.sent.append(request)
        response = self.answer(request)
        if exchange is not None and exchange.on_head is not None:
            exchange.on_head(request, Head(response.status, b"", response.headers, "HTTP/1.1"))
        return response

    def _again(self, request: Request) -> Deferred[Response]:
        self.again.append(request)
        return execute(self._answer, request, None)

    def fetch(self, url: str | Request, **arguments: Any) -> Response:
        """Fetch at once."""
        outcome: list[Any] = []
        request = url if isinstance(url, Request) else Request(url, **arguments)
        self._chain(request).addBoth(outcome.append)
        (result,) = outcome
        if not isinstance(result, Response):
            result.raiseException()
        response: Response = result
        return response


def setting(*lines: str, status: int = 200) -> Answer:
    """Answer with these Set-Cookie lines."""
    return lambda request: Response(
        request.url, status, Headers([("Set-Cookie", line) for line in lines]), request=request
    )
