"""Which errors can a crawl meet, and whose fault is each?

CrawlerError
├── UsageError                 the user's typing or configuration; ends a command with status 2
│   ├── SettingError           an unknown setting, a wrong type, a value out of range
│   ├── ArgumentError          an unknown or ill-typed spider argument
│   ├── SpiderNotFound         no spider of that name
│   ├── SpiderImportError      a spider file that does not import
│   ├── OutputError            a feed that cannot be opened, an unknown format
│   ├── SteeringError          what was asked of a running crawl cannot be done
│   └── NotConfigured          a component says that it is not to be used
├── InvalidRequest             (also a ValueError) a request that may not be built or sent
├── RequestError               one request came to nothing; carries it as .request
│   ├── FetchError             no usable response; .sent tells whether bytes left this machine
│   │   ├── NameNotResolved    DNS has no address, or did not answer
│   │   ├── ConnectionFailed   refused, unreachable
│   │   ├── ConnectionLost     reset or closed before the response was complete
│   │   ├── FetchTimeout       .phase: connect, first byte, read or total
│   │   ├── TLSError           handshake or certificate; the message names the cause
│   │   ├── ProxyError         the proxy refused, wants a password, or closed
│   │   ├── BadResponse        bytes that are not HTTP, or not acceptable HTTP
│   │   ├── HeadTooLarge       a header line, count or total above its limit
│   │   ├── BodyTooLarge       above DOWNLOAD_MAXSIZE, on the wire or decoded
│   │   ├── TruncatedBody      shorter than Content-Length, or a broken chunk
│   │   ├── DecodingError      a Content-Encoding that does not decode
│   │   ├── AddressForbidden   the address dialled is private and private ones are denied
│   │   ├── UnsupportedScheme  no downloader for the URL's scheme
│   │   ├── NotInCache         replay mode, and the page was never stored
│   │   ├── LocalFailure       what came cannot be kept: a full disk; stops the crawl, the request stays undone
│   │   ├── SessionBlocked     the site blocked the session; another one may pass
│   │   ├── NotBegun           this process may send nothing now; the request waits for its turn again
│   │   └── FetchCancelled     the crawl was stopped while the fetch ran
│   ├── HttpError              a response whose status the spider does not accept; has .response
│   ├── TooManyRedirects       the chain is longer than REDIRECT_MAX_TIMES
│   ├── RobotsUnreachable      robots.txt answered with an error
│   ├── LostWorkers            its callback was running when five workers died
│   └── RequestDropped         ended without a response for a named .reason
├── FeedError                  a feed failed while writing; stops the crawl
│   └── OutputClosed           nobody reads the standard output any more; stops it, and is no failure
├── StoreError                 the job store failed; stops the crawl
│   ├── JobInUse               another process holds the job
│   ├── LateWorker             a worker's lease at a shared store is over: others do its work
│   └── JobDamaged             the job file cannot be read
├── BooksDoNotBalance          an accepted request had no, or two, terminal events: our bug
└── (control flow, raised by users' code, with Scrapy's names)
    ├── DropItem               a stage refuses an item
    ├── IgnoreRequest          a middleware refuses a request
    └── CloseSpider            stop the crawl, with a reason
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.model.invalid import CrawlerError as CrawlerError
from crawler.model.invalid import InvalidRequest as InvalidRequest

if TYPE_CHECKING:
    from crawler.model.request import Request
    from crawler.model.response import Response


class UsageError(CrawlerError):
    """What the user typed or configured is wrong; the message is for the user."""


class SettingError(UsageError):
    """A setting is unknown, of the wrong type or out of range."""


class ArgumentError(UsageError):
    """A spider argument is unknown or does not convert."""


class SpiderNotFound(UsageError):
    """No spider has that name."""


class SpiderImportError(UsageError):
    """A spider file does not import; the message ends with the user's own frames."""


class OutputError(UsageError):
    """A feed cannot be opened as asked."""


class SteeringError(UsageError):
    """What was asked of a running crawl cannot be done; the message says what would be right."""


class NotConfigured(UsageError):
    """Raised by a stage or an extension while it is made: it is left out (Scrapy's name)."""


class RequestError(CrawlerError):
    """One request came to nothing.

    ``request`` is None only until the error reaches the room that knows the request.
    """

    def __init__(self, message: str = "", *, request: Request | None = None) -> None:
        super().__init__(message)
        self.request = request


class FetchError(RequestError):
    """No usable response came. ``sent``: whether any byte of the request left this machine.

    ``may_repeat``: the peer had closed a connection that was used before, which says nothing of the request, and it
    was not sent again because its host owes a delay.
    """

    may_repeat = False

    def __init__(self, message: str = "", *, request: Request | None = None, sent: bool = True) -> None:
        super().__init__(message, request=request)
        self.sent = sent


class NameNotResolved(FetchError):
    """DNS has no address for the host, or did not answer in time."""


class ConnectionFailed(FetchError):
    """No connection: refused, unreachable."""


class ConnectionLost(FetchError):
    """The connection ended before the response was complete."""


class FetchTimeout(FetchError):
    """A deadline passed. ``phase``: "connect", "first byte", "read" or "total"."""

    def __init__(
        self,
        message: str = "",
        *,
        phase: str = "total",
        request: Request | None = None,
        sent: bool = True,
    ) -> None:
        super().__init__(message, request=request, sent=sent)
        self.phase = phase


class TLSError(FetchError):
    """The handshake failed or the certificate is not acceptable; the message names the cause."""


class ProxyError(FetchError):
    """The proxy refused, wants other credentials, or closed; the message names the proxy."""


class BadResponse(FetchError):
    """The peer sent bytes that are not acceptable HTTP."""


class HeadTooLarge(BadResponse):
    """A header line, the number of headers or their total is above its limit."""


class BodyTooLarge(FetchError):
    """The body is above the size limit, on the wire or decoded."""


class TruncatedBody(FetchError):
    """The body ended early: shorter than Content-Length, or a broken chunk."""


class DecodingError(FetchError):
    """The body does not decode as its Content-Encoding says."""


class AddressForbidden(FetchError):
    """The address to be dialled is private, loopback or link-local, and those are denied."""


class UnsupportedScheme(FetchError):
    """No downloader is enabled for the scheme of the URL."""


class NotInCache(FetchError):
    """The cache is in replay mode and does not hold this page."""


class LocalFailure(FetchError):
    """This machine cannot keep what came (a full or read-only disk): nothing that another request would not meet too.

    The crawl stops, and the request stays undone, for a resume.
    """


class SessionBlocked(FetchError):
    """The site blocked the session, which is thrown away: the next try goes out in another one."""


class NotBegun(FetchError):
    """Not a byte was sent, since this process may send nothing now: it is not known to the store for long enough."""


class FetchCancelled(FetchError):
    """The crawl stopped while the fetch was under way."""


class HttpError(RequestError):
    """A response whose status the spider does not accept (Scrapy's HttpError)."""

    def __init__(self, message: str = "", *, response: Response, request: Request | None = None) -> None:
        super().__init__(message, request=request if request is not None else response.request)
        self.response = response


class TooManyRedirects(RequestError):
    """The redirect chain is longer than REDIRECT_MAX_TIMES."""


class RobotsUnreachable(RequestError):
    """robots.txt of the origin could not be fetched, because of its status for example.

    Where there was no connection, the requests of the origin fail with that FetchError, whose message says so.
    """


class LostWorkers(RequestError):
    """The request's callback was running each time when five workers of a shared job died: it is not tried again."""


class RequestDropped(RequestError):
    """An accepted request ended without a response; ``reason`` is one of the named reasons."""

    def __init__(self, reason: str, *, request: Request | None = None, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason, request=request)
        self.reason = reason


class FeedError(CrawlerError):
    """A feed failed while the crawl ran; the message names the feed."""


class OutputClosed(FeedError):
    """Whoever read the standard output has gone, as head does: the crawl stops, and nothing is wrong."""


class StoreError(CrawlerError):
    """The job store failed; what was committed is intact."""


class JobInUse(StoreError):
    """Another process works on this job."""


class LateWorker(StoreError):
    """This worker's lease at a shared store is over: the store has given its work to others."""


class JobDamaged(StoreError):
    """The job file is not readable as a job of this version."""


class BooksDoNotBalance(CrawlerError):
    """Accepted requests and terminal events do not match: an error of this program."""


_LEVELS: dict[str | int, str] = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}
"""The numbers that Python's logging has for its levels."""


class DropItem(CrawlerError):
    """Raised by a pipeline stage: this item goes no further, and that is no failure.

    ``log_level`` is that of its line in the log: one of LOG_LEVEL's names or its number, WARNING where none is
    given (as Scrapy's).
    """

    log_level: str | None = None

    def __init__(self, *message: object, log_level: str | int | None = None) -> None:
        super().__init__(*message)
        if log_level is None:
            return
        log_level = _LEVELS.get(log_level, log_level)
        if log_level not in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
            raise ValueError(f"DropItem: log_level is DEBUG, INFO, WARNING, ERROR or CRITICAL, not {log_level!r}")
        self.log_level = str(log_level)


class IgnoreRequest(CrawlerError):
    """Raised by a middleware: this request shall not be fetched; counted as dropped."""


class CloseSpider(CrawlerError):
    """Raised anywhere in a spider's code: end the crawl with this reason."""

    def __init__(self, reason: str = "cancelled") -> None:
        super().__init__(reason)
        self.reason = reason
