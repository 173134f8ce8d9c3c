"""What goes round a spider's callbacks and errbacks?

They get responses of Scrapy's classes and failures of its errors. The spider middlewares of a project, if it has any
of its own, stand round callbacks in Scrapy's order, and Scrapy's own ones with them; if not, the crawler's policies do
what those do where a request is accepted.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.engine.frames import error_of
from crawler.engine.user_code.failure import RequestFailure
from crawler.errors import HttpError, RequestDropped
from crawler.scrapy.adapters.calling import by_name
from crawler.scrapy.adapters.errors import as_scrapy_error
from crawler.scrapy.adapters.layers import Layers, layer_of
from crawler.scrapy.adapters.responses import as_scrapy
from crawler.scrapy.exceptions import _InvalidOutput
from crawler.scrapy.http.request import as_scrapy_request
from crawler.scrapy.spidermiddlewares.httperror import HttpErrorMiddleware

_UNHEARD = frozenset({"duplicate", "offsite"})
"""What a redirect's target was dropped for: in Scrapy it is no request of its own any more, and nobody hears of it."""


class AroundCallbacks:
    """Round the callbacks of a project without spider middlewares of its own: what they are given is Scrapy's."""

    def __init__(self, spider: Any) -> None:
        self._spider = spider

    def callback(self, callback: Callable[..., Any], response: Any, keywords: dict[str, Any]) -> Any:
        """Return the results of a callback."""
        return callback(as_scrapy(response), **keywords)

    def errback(self, errback: Callable[..., Any], failure: RequestFailure) -> Any:
        """Return the results of an errback; none if it hands the failure on, which is told by then."""
        as_scrapy_request(failure.request)
        error = as_scrapy_error(error_of(failure))
        if error is not failure.value:
            failure = RequestFailure(error, failure.request)
        if (response := getattr(error, "response", None)) is not None:
            as_scrapy(response)
        if isinstance(error, RequestDropped) and error.reason in _UNHEARD:
            return None
        try:
            results = errback(failure)
        except Exception as raised:
            return self._unless(error, raised)
        if isinstance(results, Failure):
            return self._unless(error, error_of(results))
        if isinstance(results, Deferred):
            return results.addErrback(lambda failed: self._unless(error, error_of(failed)))
        return self._awaited(error, results) if inspect.isawaitable(results) else results

    def _unless(self, told: BaseException, raised: BaseException) -> None:
        """Raise what an errback raised, unless it is the failure that it was given."""
        if raised is not told:
            raise raised
        if isinstance(told, HttpError):  # it counts where no errback has handled it
            HttpErrorMiddleware.ignore(self._spider.crawler.stats, told.response)

    async def _awaited(self, told: BaseException, results: Any) -> Any:
        try:
            return await results
        except Exception as raised:
            return self._unless(told, raised)


class AroundMiddlewares(AroundCallbacks):
    """Round callbacks stand ``middlewares``, that of the lowest number first."""

    def __init__(self, spider: Any, middlewares: Iterable[Any]) -> None:
        super().__init__(spider)
        middlewares = list(middlewares)
        self._inputs = [
            (type(each).__qualname__, by_name(each.process_spider_input, spider))
            for each in middlewares
            if hasattr(each, "process_spider_input")
        ]
        self._layers = Layers([layer_of(each, spider) for each in reversed(middlewares)])

    def callback(self, callback: Callable[..., Any], response: Any, keywords: dict[str, Any]) -> Any:
        """Return the results of a callback, behind the middlewares."""
        response = as_scrapy(response)
        for name, process in self._inputs:
            try:
                answer = process(response=response)
            except Exception as error:
                return self._refused(error, response)
            if answer is not None:
                raise _InvalidOutput(f"{name}.process_spider_input must return None or raise, got {type(answer)}")
        return self._called(partial(callback, response, **keywords), response)

    def _refused(self, error: Exception, response: Any) -> Any:
        """A middleware keeps the response back: the errback gets its error, or those that handle exceptions."""
        request = response.request
        if request.errback is None:
            return self._layers.recovered(error, response)
        return self._called(partial(request.errback, RequestFailure(error, request)), response)

    def _called(self, call: Callable[[], Any], response: Any) -> Any:
        try:
            results = call()
        except Exception as error:
            return self._layers.recovered(error, response)
        return self._taken(results, response)

    def _taken(self, results: Any, response: Any) -> Any:
        if isinstance(results, Failure):
            return self._layers.recovered(error_of(results), response)
        if isinstance(results, Deferred):
            return results.addBoth(self._taken, response)
        if inspect.isawaitable(results):
            return self._soon(results, response)
        return self._layers.through(results, response)

    async def _soon(self, results: Any, response: Any) -> Any:
        try:
            found = await results
        except Exception as error:
            return self._layers.recovered(error, response)
        return self._taken(found, response)
