"""Which reactor is installed, and how does another one come there?"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import Any

from twisted.internet import asyncioreactor
from twisted.internet.error import ReactorAlreadyInstalledError

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
    """Install the reactor of a class's path, on a loop of another one's, unless one is installed."""
    with suppress(ReactorAlreadyInstalledError):
        if load_object(reactor_path) is asyncioreactor.AsyncioSelectorReactor:
            loop = load_object(event_loop_path or "asyncio.new_event_loop")()
            asyncio.set_event_loop(loop)
            asyncioreactor.install(loop)
        else:
            load_object(f"{reactor_path.rpartition('.')[0]}.install")()


def verify_installed_reactor(reactor_path: str) -> None:
    """Raise RuntimeError if the reactor is another one."""
    kind = type(_installed("verify_installed_reactor"))
    if kind is not load_object(reactor_path):
        said = f"The installed reactor ({global_object_name(kind)}) does not match the requested one ({reactor_path})"
        raise RuntimeError(said)
