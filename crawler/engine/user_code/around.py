"""May something stand round the spider's functions?

Where a crawl has an ``Around``, it is what is called when a callback's turn comes, and calls the callback itself. A
crawl without one runs ``Callbacks`` as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from crawler.engine.keeping.unit import Unit
from crawler.engine.user_code.callbacks import Callbacks
from crawler.engine.user_code.failure import RequestFailure
from crawler.model.fields import Callback
from crawler.model.response import Response


class Around(Protocol):
    """What stands round the spider's functions. What it returns or raises is taken for what they do, so it may return
    all that they may."""

    def callback(self, callback: Callable[..., Any], response: Response, keywords: dict[str, Any]) -> Any:
        """Return the results of ``callback(response, **keywords)``, whatever they are here."""

    def errback(self, errback: Callable[..., Any], failure: RequestFailure) -> Any:
        """Return the results of ``errback(failure)``."""


class Running(Protocol):
    """What runs the spider's functions."""

    def run(self, call: partial[Any], function: Callback | str, unit: Unit, response: Response | None) -> None:
        """Call a callback, ``call``'s one argument being the response, or an errback with the failure."""


class CallbacksAround:
    """Runs what is round a callback, as ``Callbacks`` run the callback."""

    def __init__(self, callbacks: Callbacks, around: Around) -> None:
        self._callbacks = callbacks
        self._around = around

    def run(self, call: partial[Any], function: Callback | str, unit: Unit, response: Response | None) -> None:
        """See Running."""
        given = call.args[0]
        if isinstance(given, Response):
            whole = partial(self._around.callback, call.func, given, call.keywords)
        else:
            whole = partial(self._around.errback, call.func, given)
        self._callbacks.run(whole, function, unit, response)
