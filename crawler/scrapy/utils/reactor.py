"""Which reactor is installed, and how does another one come there?"""

from __future__ import annotations

import asyncio
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from twisted.internet import asyncioreactor
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError, ReactorAlreadyInstalledError

from crawler.scrapy.utils.misc import load_object
from crawler.scrapy.utils.python import global_object_name


def is_reactor_installed() -> bool:
    """Tell whether a reactor is installed."""
    return "twisted.internet.reactor" in sys.modules


def _installed(caller: str) -> Any:
    if not is_reactor_installed():
        raise RuntimeError(f"{caller}() called without an installed reactor.")
    from twisted.internet import reactor

    return reactor


def is_asyncio_reactor_installed() -> bool:
    """Tell whether the reactor is asyncio's. Raises RuntimeError where none is installed."""
    return isinstance(_installed("is_asyncio_reactor_installed"), asyncioreactor.AsyncioSelectorReactor)


def install_reactor(reactor_path: str, event_loop_path: str | None = None) -> None:
    """Install the reactor of a class's path, unless one is installed."""
    with suppress(ReactorAlreadyInstalledError):
        if load_object(reactor_path) is asyncioreactor.AsyncioSelectorReactor:
            asyncioreactor.install(set_asyncio_event_loop(event_loop_path))
        else:
            load_object(f"{reactor_path.rpartition('.')[0]}.install")()


def set_asyncio_event_loop_policy() -> None:
    """Do nothing: the policy that it is about is that of old Windows."""


def set_asyncio_event_loop(event_loop_path: str | None) -> asyncio.AbstractEventLoop:
    """Return the loop that is set; where it is none of this path, a new one, which is set."""
    kind = load_object(event_loop_path) if event_loop_path else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            loop = asyncio.get_event_loop()
    except RuntimeError:
        loop = None
    if loop is None or (kind is not None and not isinstance(loop, kind)):
        loop = (kind or asyncio.new_event_loop)()
        asyncio.set_event_loop(loop)
    return loop


def verify_installed_reactor(reactor_path: str) -> None:
    """Raise RuntimeError if the reactor is another one."""
    kind = type(_installed("verify_installed_reactor"))
    if kind is not load_object(reactor_path):
        said = f"The installed reactor ({global_object_name(kind)}) does not match the requested one ({reactor_path})"
        raise RuntimeError(said)


def verify_installed_asyncio_event_loop(loop_path: str) -> None:
    """Raise RuntimeError if the reactor's loop is another one."""
    loop = _installed("verify_installed_asyncio_event_loop")._asyncioEventloop
    if not isinstance(loop, load_object(loop_path)):
        said = f"the reactor's event loop is {global_object_name(type(loop))}, and ASYNCIO_EVENT_LOOP says {loop_path}"
        raise RuntimeError(said)


def listen_tcp(portrange: list[int], host: str, factory: Any) -> Any:
    """Listen on the first free port of a range, first and last; on any for []. Raises ValueError, CannotListenError."""
    from twisted.internet import reactor

    if len(portrange) > 2 or (len(portrange) == 2 and portrange[0] > portrange[1]):
        raise ValueError(f"invalid portrange: {portrange}")
    *before, last = range(portrange[0], portrange[-1] + 1) if portrange else [0]
    listen: Callable[..., Any] = reactor.listenTCP
    for port in before:
        with suppress(CannotListenError):
            return listen(port, factory, interface=host)
    return listen(last, factory, interface=host)


class CallLaterOnce:
    """A call that is made once in the next turn, however often it is asked for."""

    def __init__(self, func: Callable[..., Any], *a: Any, **kw: Any) -> None:
        self._make = partial(func, *a, **kw)
        self._call: Any = None
        self._waiting: list[Deferred[None]] = []

    def schedule(self, delay: float = 0) -> None:
        """Ask for the call, in so many seconds."""
        if self._call is None:
            self._call = _installed("CallLaterOnce.schedule").callLater(delay, self)

    def cancel(self) -> None:
        """Do not make it."""
        if self._call and self._call.active():
            self._call.cancel()

    def __call__(self) -> Any:
        """Make it now."""
        self._call = None
        result: Any = self._make()
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            _installed("CallLaterOnce").callLater(0, each.callback, None)
        return result

    async def wait(self) -> None:
        """Wait until it is made."""
        each: Deferred[None] = Deferred()
        self._waiting.append(each)
        await (each.asFuture(asyncio.get_event_loop()) if is_asyncio_reactor_installed() else each)
