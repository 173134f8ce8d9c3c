"""What do browsers hear of a crawl while it runs?

Server-sent events (WHATWG HTML §9.2), once a second while anybody listens: what is told is read and written down once
for all who are at the same place. Who reads too slowly is told nothing until there is room, and then what has changed
since; who does not read at all is dropped. So nothing grows, whatever a browser does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from crawler.observe.board.shown import Now
from crawler.observe.board.source import Source
from crawler.status.asked import Answer, Asked, Refused, to_json
from crawler.status.complaints import Complaints

if TYPE_CHECKING:
    from twisted.internet.base import DelayedCall

    from crawler.status.exchange import Exchange

EVENTS = "text/event-stream"
MAX_STREAMS = 32
STEP_SECONDS = 1.0
PARTS = ("hosts", "errors", "items", "slow", "settings", "feeds", "workers", "history")
"""What the last event has of the crawl, as /api has it under these names."""
MAX_MISSED = 10
"""So many steps in a row may find a reader's buffer full."""


@implementer(IPushProducer)
class EventStream:
    """One reader. ``since`` is up to where it knows what has changed."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._exchange: Exchange | None = None
        self.since = 0
        self.missed = 0
        self.paused = False

    def begin(self, exchange: Exchange) -> None:
        """Answer with an open response."""
        self._exchange = exchange
        exchange.head(200, EVENTS)
        exchange.notifyFinish().addBoth(lambda _: self._streams.lost(self))
        exchange.registerProducer(self, True)
        exchange.write(b"retry: 2000\n\n")
        self._streams.add(self)

    def write(self, data: bytes) -> None:
        """Tell it more."""
        assert self._exchange is not None
        self._exchange.write(data)

    def end(self, data: bytes) -> None:
        """Tell it the last."""
        assert self._exchange is not None
        self._exchange.unregisterProducer()
        self._exchange.write(data)
        self._exchange.finish()

    def drop(self) -> None:
        """Read it no longer: what was written to it is thrown away."""
        assert self._exchange is not None
        self._exchange.channel.drop()

    def pauseProducing(self) -> None:  # noqa: N802 (Twisted's name)
        """Its buffer is full."""
        self.paused = True

    def resumeProducing(self) -> None:  # noqa: N802 (Twisted's name)
        """There is room again."""
        self.paused = False

    def stopProducing(self) -> None:  # noqa: N802 (Twisted's name)
        """It is gone, as notifyFinish says too."""


class Streams:
    """All who listen. While nobody does, nothing is done."""

    def __init__(self, source: Source, complaints: Complaints, reactor: Any, *, control: bool = False) -> None:
        self._source = source
        self._control = control
        self._complaints = complaints
        self._reactor = reactor
        self._open: dict[EventStream, None] = {}
        self._call: DelayedCall | None = None
        self._ended = False

    def __len__(self) -> int:
        return len(self._open)

    def open(self, asked: Asked) -> EventStream | Answer:
        """Return what tells one more reader. Raises Refused if there are too many, and once the crawl is over."""
        if asked.method == "HEAD":
            return Answer(b"", EVENTS)
        if self._ended:
            raise Refused(503, "the crawl is over")
        if len(self._open) >= MAX_STREAMS:
            said = f"{MAX_STREAMS} windows of this page are open, which is the most; close one"
            raise Refused(503, said, kind=f"an event stream beyond {MAX_STREAMS}", headers=[("Retry-After", "10")])
        return EventStream(self)

    def add(self, stream: EventStream) -> None:
        """Begin to tell a reader."""
        self._open[stream] = None
        self._tell([stream])
        if self._call is None:
            self._call = self._reactor.callLater(STEP_SECONDS, self._step)

    def lost(self, stream: EventStream) -> None:
        """Forget a reader."""
        self._open.pop(stream, None)

    def end(self) -> None:
        """The crawl is over: tell that, with all there is to be shown, and end all responses: nobody can ask later."""
        self._ended = True
        self._tell([*self._open])
        try:
            last = _event("end", {part: getattr(self._source, part)() for part in PARTS})
        except Exception:
            self._complaints.failed("/events")
            last = _event("end", None)
        for stream in [*self._open]:
            stream.end(last)
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _step(self) -> None:
        self._call = None
        self._tell([*self._open])
        if self._open:
            self._call = self._reactor.callLater(STEP_SECONDS, self._step)

    def _tell(self, streams: Iterable[EventStream]) -> None:
        """Tell what is new. An error of the source's is logged, and the next step may do better."""
        try:
            told: dict[int, tuple[bytes, int]] = {}
            now = b""
            for stream in streams:
                if stream.paused:
                    self._miss(stream)
                    continue
                now = now or _event(
                    "now", {"now": now_of(self._source, control=self._control), "point": self._source.newest()}
                )
                data, number = told.get(stream.since) or told.setdefault(stream.since, self._changes(stream.since))
                stream.missed, stream.since = 0, number
                stream.write(now + data)
        except Exception:
            self._complaints.failed("/events")

    def _miss(self, stream: EventStream) -> None:
        stream.missed += 1
        if stream.missed > MAX_MISSED:
            said = f"nothing was read for {MAX_MISSED * STEP_SECONDS:g} seconds"
            self._complaints.refused(Refused(408, said, kind="an event stream that nobody reads"))
            stream.drop()

    def _changes(self, since: int) -> tuple[bytes, int]:
        changes = self._source.changes(since)
        events = [_event("hosts", changes.hosts)] if changes.hosts else []
        events += [_event(part, None) for part in changes.parts]
        return b"".join(events), changes.number


def now_of(source: Source, *, control: bool) -> Now:
    """Return the crawl at this moment; ``control``: whether who reads this may steer it."""
    return replace(source.now(), control=control)


def _event(name: str, value: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), to_json(value))
