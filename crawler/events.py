"""What happens in a crawl that somebody may want to hear of?

Events are typed values; ``Events`` hands each to those who subscribed to its type, in the order in
which they subscribed. A subscriber runs in the reactor's thread and must not block; one that raises
is logged and never hurts the crawl.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct

from crawler.errors import CloseSpider
from crawler.model.request import Request
from crawler.model.response import Response

logger = logging.getLogger(__name__)


class Event(Struct, frozen=True):
    """The base of all events."""


class CrawlOpened(Event, frozen=True):
    """The crawl is about to take its first request. ``job`` is None without a job store."""

    spider: Any
    job: str | None
    resumed: bool


class RequestScheduled(Event, frozen=True):
    """A request was accepted: it will end in exactly one RequestEnded, or be left at a stop."""

    request: Request


class RequestRefused(Event, frozen=True):
    """A request was refused before acceptance: ``reason`` is e.g. "offsite", "duplicate", "depth",
    "url_length", "invalid_url"; ``found_on`` is the URL of the page that had it, None for start()."""

    request: Request
    reason: str
    detail: str
    found_on: str | None


class RequestsSpooled(Event, frozen=True):
    """The children of a page that had thousands were accepted together: ``accepted`` of them, in place of a
    RequestScheduled for each, and ``duplicates`` were refused."""

    accepted: int
    duplicates: int


class RequestSent(Event, frozen=True):
    """One attempt of a request was handed to the downloader."""

    request: Request


class ResponseReceived(Event, frozen=True):
    """A response's last byte arrived (any status, redirects and robots.txt included)."""

    response: Response
    request: Request


class ResponseDelivered(Event, frozen=True):
    """What a request has led to, for its callback, or as an HttpError for its errback: no redirect, not tried again.
    Those of inline fetches and of carried requests are told, too."""

    response: Response
    request: Request


class FetchFailed(Event, frozen=True):
    """One attempt ended without a response; whether it is tried again is told by the next event."""

    request: Request
    error: Exception


class RequestDelayed(Event, frozen=True):
    """A request goes back to its host's queue; ``kind`` is "retry", "redirect" or "instead" (by a middleware).

    ``status`` is that of the response that was no page, None if there was no response.
    """

    request: Request
    kind: str
    reason: str
    seconds: float
    status: int | None = None


class RequestEnded(Event, frozen=True):
    """The terminal event: ``outcome`` is "answered", "failed" or "dropped"; ``reason`` names why.

    ``detail`` is what the error says; ``status`` that of the response of an HttpError.
    """

    request: Request
    outcome: str
    reason: str
    detail: str = ""
    status: int | None = None


class ItemScraped(Event, frozen=True):
    """An item left the last stage and is on its way to the feeds."""

    item: Any
    response: Response | None


class ItemDropped(Event, frozen=True):
    """A stage raised DropItem: ``error``, None if another worker had the item first."""

    item: Any
    stage: str
    reason: str
    response: Response | None
    log_level: str = "WARNING"
    error: BaseException | None = None


class ItemFailed(Event, frozen=True):
    """A stage raised something else: the item is lost, and this says where."""

    item: Any
    stage: str
    error: BaseException
    response: Response | None


class SpiderFailed(Event, frozen=True):
    """A callback, errback or start() raised, or yielded what is neither item nor request.

    ``response`` is what the callback was given, if it was.
    """

    error: BaseException
    callback: str
    url: str | None
    traceback: str
    response: Response | None = None


class HostPaced(Event, frozen=True):
    """The throttle changed what a host is asked: ``delay`` in seconds, ``concurrency`` in requests."""

    host: str
    delay: float
    concurrency: int
    reason: str


class StepHeld(Event, frozen=True):
    """A step of the user's code has held the reactor for ``seconds``: told once, when it has ended.

    ``what`` says which: "callback Books.parse"; ``where`` is its file and line when it was seen, ``stack`` the lines
    of code that it was in, outermost first. The log names it while it lasts.
    """

    what: str
    where: str
    seconds: float
    stack: tuple[str, ...]


class MemoryHigh(Event, frozen=True):
    """The process uses more memory than a limit; both in bytes.

    ``done`` is "warning", "paused" (nothing more is sent until it is less) or "stopped".
    """

    size: int
    limit: int
    done: str


class Stalled(Event, frozen=True):
    """Nothing has ended for ``seconds``; ``waits`` are sentences of what everything waits for."""

    seconds: float
    waits: tuple[str, ...]


class Steered(Event, frozen=True):
    """Somebody acted on the running crawl: ``what`` was done, or why that was ``refused``. ``who``: "page", say."""

    what: str
    who: str
    refused: bool = False


class SettingChanged(Event, frozen=True):
    """A setting was changed while the crawl runs, of a host or of all (``host`` None); ``when`` by the wall clock."""

    name: str
    host: str | None
    value: Any
    before: Any
    who: str
    when: float


class NothingQueued(Event, frozen=True):
    """The loop looked for a request to send, and none is queued: start() may be asked for more."""


class PromptOpened(Event, frozen=True):
    """A person looks at the crawl, which waits: the terminal is theirs."""


class PromptClosed(Event, frozen=True):
    """The crawl goes on."""


class FeedClosed(Event, frozen=True):
    """A feed was closed; ``items`` were written to ``path``."""

    path: str
    items: int


class CrawlClosing(Event, frozen=True):
    """No new request is taken from now on; ``reason`` is e.g. "finished", "shutdown"."""

    reason: str


class CrawlClosed(Event, frozen=True):
    """The crawl is over and everything is written."""

    spider: Any
    reason: str


EventT = TypeVar("EventT", bound=Event)


class Events:
    """Who hears of what. ``wants`` lets a hot path skip making an event nobody listens to.

    ``close`` is called with the reason when a subscriber raises CloseSpider.
    """

    def __init__(self) -> None:
        self._subscribers: dict[type[Event], list[Callable[[Any], None]]] = {}
        self.close: Callable[[str], None] | None = None

    def subscribe(self, kind: type[EventT], subscriber: Callable[[EventT], None]) -> None:
        """Call ``subscriber(event)`` for each event of that type; ``Event`` stands for every type there is."""
        for each in (kind, *kind.__subclasses__()):
            self._subscribers.setdefault(each, []).append(subscriber)

    def wants(self, kind: type[Event]) -> bool:
        """Tell whether anybody subscribed to that type."""
        return kind in self._subscribers

    def publish(self, event: Event) -> None:
        """Hand the event to its subscribers; their errors are logged here."""
        for subscriber in self._subscribers.get(type(event), ()):
            try:
                subscriber(event)
            except CloseSpider as error:
                if self.close is not None:
                    self.close(error.reason)
            except BaseException:  # sys.exit(), too, ends this subscriber and nothing else
                logger.exception("A subscriber to %s failed", type(event).__name__)
