"""How is one request to the status page taken, and its answer written?"""

from __future__ import annotations

from collections.abc import Awaitable
from http import HTTPStatus
from inspect import isawaitable
from io import BytesIO
from typing import Any, Protocol
from urllib.parse import unquote

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.http import Request, datetimeToString

from crawler.status.asked import HTML, TEXT, Answer, Asked, Refused, to_json

MAX_BODY = 65536

HEADERS = (
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
"""Of every response. Nothing is loaded from elsewhere, nothing inline is run, nobody frames it, nothing is kept."""


class Stream(Protocol):
    """What takes an open response."""

    def begin(self, exchange: Exchange) -> None:
        """Write to it from now on; ``exchange.finish()`` ends it, ``exchange.notifyFinish()`` tells of its end."""


class Answering(Protocol):
    """What answers requests."""

    def answer(self, asked: Asked) -> Any | Stream | Awaitable[Any]:
        """Return an Answer, a Stream, or what becomes JSON. Raises Refused."""


class Exchange(Request):
    """A request and its response."""

    channel: Any  # a crawler.status.channel.Channel
    content: BytesIO

    def __init__(self, channel: Any, queued: object = False) -> None:
        super().__init__(channel, queued, parsePOSTFormSubmission=False)
        self._gone = False
        self._refused = False
        self._length = 0

    def gotLength(self, length: int | None) -> None:  # noqa: N802 (Twisted's name)
        """Refuse a body that says it is too long; ``length`` is None for one that says nothing."""
        self.content = BytesIO()
        if length is not None and length > MAX_BODY:
            self._refuse_body()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        """Take a part of the body, or refuse it."""
        self._length += len(data)
        if self._length <= MAX_BODY and not self._refused:
            self.content.write(data)
        elif not self._refused:
            self._refuse_body()

    def _refuse_body(self) -> None:
        self._refused = True
        said = f"a request has at most {MAX_BODY} bytes here"
        self.channel.refuse(Refused(413, said, kind=f"a request of more than {MAX_BODY} bytes"))

    def process(self) -> None:
        """Answer it."""
        if not self._refused:
            Deferred.fromCoroutine(self._process())

    async def _process(self) -> None:
        site = self.channel.factory
        asked = self._asked()
        try:
            if self.clientproto != b"HTTP/1.1":
                raise Refused(505, "this is answered by HTTP/1.1 only", kind="a request of HTTP/1.0")
            answer = site.answering.answer(asked)
            if isawaitable(answer):
                answer = await answer
            if not isinstance(answer, Answer) and not hasattr(answer, "begin"):
                answer = Answer(to_json(answer))
        except Refused as refused:
            site.complaints.refused(refused)
            answer = self._refusal(asked, refused)
        except Exception:
            site.complaints.failed(asked.path)
            said = "this could not be answered; the log of the crawl says why"
            answer = self._refusal(asked, Refused(500, said))
        if not self._gone:
            self._send(answer)

    def _asked(self) -> Asked:
        headers: dict[str, str] = {}
        for name, values in self.requestHeaders.getAllRawHeaders():
            headers[name.decode("latin-1").lower()] = ", ".join(value.decode("latin-1") for value in values)
        query = {
            name.decode(errors="replace"): values[-1].decode(errors="replace") for name, values in self.args.items()
        }
        return Asked(
            method=self.method.decode("latin-1"),
            path=unquote(self.path.decode("latin-1")),
            query=query,
            headers=headers,
            body=self.content.read(),
            local=getattr(self.channel.getHost(), "host", "").removeprefix("::ffff:"),  # IPv4 to a socket of IPv6
        )

    def _send(self, answer: Any) -> None:
        if hasattr(answer, "begin"):
            answer.begin(self)
            return
        self.head(answer.status, answer.kind, (*answer.headers, ("Content-Length", str(len(answer.body)))))
        self.write(answer.body)
        self.finish()

    def head(self, status: int, kind: str, headers: Any = ()) -> None:
        """Set the status and the headers of the response."""
        self.setResponseCode(status, reason_of(status))
        date = datetimeToString().decode()  # RFC 9110 §6.6.1
        for name, value in (*HEADERS, ("Date", date), ("Content-Type", kind), *headers):
            self.responseHeaders.setRawHeaders(name, [value])

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802 (Twisted's name)
        """Nobody reads the response any more."""
        self._gone = True
        super().connectionLost(reason)

    def _refusal(self, asked: Asked, refused: Refused) -> Answer:
        # Whatever else came with it is not answered: that would be more bytes than a stranger has sent.
        self.channel.persistent = False
        return refusal(asked, refused)


_FOR_PROGRAMS = {"api", "do", "events"}


def refusal(asked: Asked, refused: Refused) -> Answer:
    """Return what a client is told: JSON where a program asks, else text."""
    headers = [*refused.headers, ("Connection", "close")]
    if _FOR_PROGRAMS & {*asked.path.split("/")}:
        return Answer(to_json({"error": refused.said}), status=refused.status, headers=headers)
    if refused.page:
        return Answer(refused.page, HTML, refused.status, headers)
    return Answer(f"{refused.said}\n".encode(), TEXT, refused.status, headers)


def reason_of(status: int) -> bytes:
    """Return the reason phrase of a status."""
    return HTTPStatus(status).phrase.encode()
