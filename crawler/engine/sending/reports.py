"""What came of an exchange, and who hears of it?"""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure

from crawler.engine.ending import Ending
from crawler.engine.frames import error_of, user_traceback
from crawler.errors import CloseSpider, CrawlerError, FetchCancelled, IgnoreRequest
from crawler.events import Events, FetchFailed, RequestSent, ResponseReceived, SpiderFailed
from crawler.model.masking import masked
from crawler.model.request import Request
from crawler.model.response import Response


class Reports:
    """Publishes what was sent and what came."""

    def __init__(self, events: Events, ending: Ending) -> None:
        self._events = events
        self._ending = ending

    def sent(self, request: Request) -> None:
        """A request is handed to the downloader."""
        if self._events.wants(RequestSent):
            self._events.publish(RequestSent(request))

    def received(self, response: Response, request: Request) -> Response:
        """A response has come, from the network or the cache."""
        if self._events.wants(ResponseReceived):
            self._events.publish(ResponseReceived(response, request))
        return response

    def outcome(self, result: Response | Failure, request: Request) -> Response | Exception:
        """Return what the middlewares and the downloader came to."""
        if isinstance(result, Response):
            return self.received(result, request)
        error = error_of(result) if isinstance(result, Failure) else _no_response(result)
        if isinstance(error, CancelledError):
            error = FetchCancelled("the fetch was cancelled", request=request)
        if not isinstance(error, Exception):
            error = RuntimeError(f"a middleware raised {error!r}").with_traceback(error.__traceback__)
        if not isinstance(error, CrawlerError):
            self._events.publish(SpiderFailed(error, "middleware", masked(request.url), user_traceback(error)))
        elif isinstance(error, CloseSpider):
            self._ending.stop(error.reason)
        elif not isinstance(error, IgnoreRequest):
            self._events.publish(FetchFailed(request, error))
        return error


def _no_response(result: object) -> TypeError:
    return TypeError(f"the middlewares and the downloader must return a Response, but here came {result!r:.80}")
