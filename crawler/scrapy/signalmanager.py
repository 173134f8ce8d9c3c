"""How does a component hear of what happens, and tell of it? ``crawler.signals``: Scrapy's module of that name."""

from __future__ import annotations

from typing import Any

from pydispatch import dispatcher
from twisted.internet.defer import Deferred

from crawler.scrapy.utils import signal as _signal
from crawler.scrapy.utils.defer import maybe_deferred_to_future


class SignalManager:
    """The signals of one sender, the crawl. A signal is any object; receivers are held weakly unless told otherwise.

    What the crawl itself tells is heard from the first receiver of it on: nothing is told that nobody hears.
    """

    def __init__(self, sender: Any = dispatcher.Anonymous) -> None:
        self.sender = sender

    def connect(self, receiver: Any, signal: Any, **kwargs: Any) -> None:
        """Call ``receiver`` with what its parameters name, whenever the signal is sent."""
        kwargs.setdefault("sender", self.sender)
        dispatcher.connect(receiver, signal, **kwargs)
        hears = getattr(self.sender, "hears", None)
        if callable(hears):
            hears(signal)

    def disconnect(self, receiver: Any, signal: Any, **kwargs: Any) -> None:
        """Call it no more. Raises PyDispatcher's DispatcherKeyError if it was not connected."""
        kwargs.setdefault("sender", self.sender)
        dispatcher.disconnect(receiver, signal, **kwargs)

    def disconnect_all(self, signal: Any, **kwargs: Any) -> None:
        """Disconnect all receivers of a signal."""
        kwargs.setdefault("sender", self.sender)
        _signal.disconnect_all(signal, **kwargs)

    def send_catch_log(self, signal: Any, **kwargs: Any) -> list[tuple[Any, Any]]:
        """Call the receivers; return each with its result, a Failure if it raised, which is logged."""
        kwargs.setdefault("sender", self.sender)
        return _signal.send_catch_log(signal, **kwargs)

    def send_catch_log_deferred(self, signal: Any, **kwargs: Any) -> Deferred[list[tuple[Any, Any]]]:
        """Call the receivers and wait for what they return; errors are Failures."""
        kwargs.setdefault("sender", self.sender)
        return _signal.send_catch_log_deferred(signal, **kwargs)

    async def send_catch_log_async(self, signal: Any, **kwargs: Any) -> list[tuple[Any, Any]]:
        """Call the receivers and wait for what they return; errors are exceptions."""
        kwargs.setdefault("sender", self.sender)
        return await _signal.send_catch_log_async(signal, **kwargs)

    async def wait_for(self, signal: Any) -> None:
        """Wait until the signal is sent next."""
        sent: Deferred[None] = Deferred()

        def heard() -> None:
            self.disconnect(heard, signal)
            sent.callback(None)

        self.connect(heard, signal)
        await maybe_deferred_to_future(sent)
