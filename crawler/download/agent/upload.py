"""How is a body sent that a producer makes piece by piece?"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from mimetypes import guess_type
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qsl
from uuid import uuid4

from treq.multipart import MultiPartProducer
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer
from twisted.internet.task import Cooperator
from twisted.python.failure import Failure
from twisted.web.client import FileBodyProducer
from twisted.web.iweb import UNKNOWN_LENGTH
from zope.interface import implementer

from crawler.download.http.connection import Upload
from crawler.download.net.interfaces import BodyProducer, Producer, Reactor
from crawler.errors import FetchError
from crawler.model.fields import Files

Done = Callable[[FetchError | None], None]


@implementer(IConsumer)
class BodySource:
    """Sends what an IBodyProducer writes, by its length or in chunks (RFC 9112 section 7.1).

    ``length`` is None where the producer does not know it. A producer that writes more or less than it
    said fails the exchange: the rest would be taken for another request.
    """

    def __init__(self, producer: BodyProducer) -> None:
        self._producer = producer
        self.length: int | None = None if producer.length is UNKNOWN_LENGTH else int(producer.length)
        self._written = 0
        self._connection: Upload
        self._done: Done | None = None
        # HTTP/2 frames a body by itself.
        self.framed = True

    def __repr__(self) -> str:
        return f"<BodySource written={self._written} of {self.length}>"

    @property
    def producer(self) -> BodyProducer:
        """The IBodyProducer."""
        return self._producer

    def start(self, connection: Upload, done: Done) -> None:
        """Begin to write to the connection's transport; ``done(None)`` when all of it was written."""
        self._connection = connection
        self._done = done
        connection.transport.registerProducer(self._producer, True)
        try:
            writing: Deferred[None] = self._producer.startProducing(self)
        except Exception:
            self._failed(Failure())
            return
        writing.addCallbacks(self._finished, self._failed)

    def stop(self) -> None:
        """The exchange is over: make the producer stop."""
        if self._done is not None:
            self._done = None
            self._connection.transport.unregisterProducer()
            # A producer that cannot be stopped is no reason to fail what follows.
            with suppress(Exception):
                self._producer.stopProducing()

    def write(self, data: bytes) -> None:
        """Called by the producer."""
        if self._done is None or not data:
            return
        self._written += len(data)
        if self.length is not None and self._written > self.length:
            self._end(FetchError(f"the body is longer than the {self.length} bytes its producer promised"))
            return
        if self.length is None and self.framed:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        self._connection.transport.write(data)
        self._connection.progressed()

    def registerProducer(self, producer: Producer, streaming: bool) -> None:
        """Some producers register themselves."""

    def unregisterProducer(self) -> None:
        """Some producers unregister themselves."""

    def _finished(self, _: None) -> None:
        if self._done is None:
            return
        if self.length is None and self.framed:
            self._connection.transport.write(b"0\r\n\r\n")
        elif self.length is not None and self._written < self.length:
            self._end(FetchError(f"the body ended after {self._written} of {self.length} bytes"))
            return
        self._end(None)

    def _failed(self, failure: Failure) -> None:
        if self._done is not None:
            error = FetchError(f"the body could not be produced: {failure.value!r}")
            error.__cause__ = failure.value
            self._end(error)

    def _end(self, error: FetchError | None) -> None:
        done, self._done = self._done, None
        self._connection.transport.unregisterProducer()
        if done is not None:
            done(error)


def cooperator_of(reactor: Reactor) -> Cooperator:
    """Return what works step by step in this reactor; Twisted's default knows the global one only."""
    later: Any = reactor.callLater
    return Cooperator(scheduler=lambda work: later(0, work))


def multipart(files: Files, body: bytes, reactor: Reactor) -> tuple[BodySource, bytes]:
    """Return the body of a request with files (RFC 7578) and its Content-Type.

    ``files``: a mapping or pairs of field name to a file object, or to (file name, file object) or (file name,
    content type, file object). ``body``: the form fields beside them, urlencoded. Raises FetchError.
    """
    fields: list[tuple[str, Any]] = list(parse_qsl(body.decode("ascii", "replace"), keep_blank_values=True))
    cooperator = cooperator_of(reactor)
    for name, value in files.items() if hasattr(files, "items") else files:
        parts = value if isinstance(value, tuple) else (_file_name(value), value)
        file_name, kind, file = parts if len(parts) == 3 else (parts[0], None, parts[1])
        if not hasattr(file, "read"):
            raise FetchError(f"files[{name!r}] must be a file object, got {type(file).__name__}", sent=False)
        kind = kind or guess_type(file_name or "")[0] or "application/octet-stream"
        fields.append((name, (file_name, kind, FileBodyProducer(file, cooperator=cooperator))))
    boundary = uuid4().hex.encode("ascii")
    producer = MultiPartProducer(fields, boundary=boundary, cooperator=cooperator)
    return BodySource(producer), b"multipart/form-data; boundary=" + boundary


def _file_name(file: IO[bytes]) -> str:
    return Path(str(getattr(file, "name", "file"))).name
