"""Which function of the spider gets an outcome, and with what?"""

from __future__ import annotations

from functools import partial
from typing import Any

from crawler.engine.keeping.unit import Unit
from crawler.engine.user_code.callbacks import Callbacks
from crawler.engine.user_code.failure import RequestFailure
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.spider import Spider, default_callback


class Delivery:
    """Calls callbacks and errbacks; those that a stored request names by a string are the spider's methods."""

    def __init__(self, spider: Spider, callbacks: Callbacks) -> None:
        self._spider = spider
        self._callbacks = callbacks

    def deliver(self, response: Response, request: Request, unit: Unit) -> None:
        """Give a response to the request's callback, or to the spider's own."""
        callback = request.callback or default_callback(self._spider)
        kwargs = request.cb_kwargs
        call = (
            (lambda: getattr(self._spider, callback)(response, **kwargs))
            if isinstance(callback, str)
            else partial(callback, response, **kwargs)
        )
        self._callbacks.run(call, _name(callback), unit, response)

    def fail(self, error: BaseException, request: Request, unit: Unit) -> bool:
        """Give an error to the request's errback; False if it has none, and the unit is not touched."""
        errback = request.errback
        if errback is None:
            return False
        response = getattr(error, "response", None)
        failure = RequestFailure(error, request)
        self._callbacks.run(lambda: self._named(errback)(failure), _name(errback), unit, response)
        return True

    def _named(self, function: Any) -> Any:
        return getattr(self._spider, function) if isinstance(function, str) else function


def _name(function: Any) -> str:
    if isinstance(function, str):
        return function
    return getattr(function, "__name__", None) or type(function).__name__
