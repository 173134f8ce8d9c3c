"""How is a call made later, repeatedly or in a thread?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.task import LoopingCall, deferLater
from twisted.internet.threads import deferToThreadPool

from crawler.scrapy.utils.reactor import is_asyncio_reactor_installed, is_reactor_installed

T = TypeVar("T")


def is_asyncio_available() -> bool:
    """Tell whether asyncio's calls work here."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return is_reactor_installed() and is_asyncio_reactor_installed()
    return True


def _reactor() -> Any:
    # The one that is installed: to import it earlier would install one.
    from twisted.internet import reactor

    return reactor


def create_looping_call(func: Callable[..., Any], *args: Any, **kwargs: Any) -> LoopingCall:
    """Return what calls a function again and again once it is started."""
    return LoopingCall(func, *args, **kwargs)


def call_later(delay: float, func: Callable[..., object], *args: Any) -> Any:
    """Call a function in so many seconds; what is returned has ``cancel()``."""
    return _reactor().callLater(delay, func, *args)


async def sleep(seconds: float) -> None:
    """Wait so many seconds."""
    await (asyncio.sleep(seconds) if is_asyncio_available() else deferLater(_reactor(), seconds))


async def run_in_thread(func: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call a function in a thread, and return what it returns."""
    if is_asyncio_available():
        return await asyncio.to_thread(func, *args, **kwargs)
    reactor = _reactor()
    return await deferToThreadPool(reactor, reactor.getThreadPool(), func, *args, **kwargs)
