"""What do the Agent's values look like as ours, and ours as the Agent's?"""

# ruff: noqa: N802, N815 - the names are those of Twisted's interfaces

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.web.client import Response as Answer
from twisted.web.iweb import UNKNOWN_LENGTH, IBodyProducer
from zope.interface import implementer

from crawler.download.net.interfaces import Consumer
from crawler.download.seam import Head
from crawler.errors import BadResponse
from crawler.model.headers import Headers


@implementer(IBodyProducer)
class BytesProducer:
    """A body that is in memory."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.length = len(body)

    def startProducing(self, consumer: Consumer) -> Deferred[None]:
        """Write all of it (IBodyProducer)."""
        consumer.write(self._body)
        return succeed(None)

    def pauseProducing(self) -> None:
        """Nothing is left to pause."""

    resumeProducing = stopProducing = pauseProducing


def head_of(answer: Answer) -> Head:
    """Return the head of the Agent's response; raises BadResponse for what the Agent lets pass."""
    raw = [(name, value) for name, values in answer.headers.getAllRawHeaders() for value in values]
    if answer.length is not UNKNOWN_LENGTH:
        raw.append((b"Content-Length", b"%d" % int(answer.length)))  # the Agent keeps it to itself
    if not 100 <= answer.code <= 999:
        raise BadResponse(f"the status {answer.code} is none")
    if any(b"\0" in value or b"\0" in name or b"\r" in value for name, value in raw):
        raise BadResponse("a header field contains NUL or CR")
    name, major, minor = answer.version
    return Head(answer.code, answer.phrase, Headers.from_raw(raw), f"{name.decode('latin-1')}/{major}.{minor}")
