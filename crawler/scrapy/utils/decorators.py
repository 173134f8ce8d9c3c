"""How is a function marked as an old one, or sent into a thread?"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred

from crawler.scrapy.exceptions import ScrapyDeprecationWarning
from crawler.scrapy.utils.asyncio import run_in_thread
from crawler.scrapy.utils.defer import deferred_from_coro


def deprecated(use_instead: Any = None) -> Any:
    """Warn of each call of a function: ``@deprecated`` or ``@deprecated("what to use")``."""

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            said = f"Call to deprecated function {function.__name__}."
            said += f" Use {use_instead} instead." if isinstance(use_instead, str) else ""
            warnings.warn(said, category=ScrapyDeprecationWarning, stacklevel=2)
            return function(*args, **kwargs)

        return called

    return mark(use_instead) if callable(use_instead) else mark


def defers(func: Callable[..., Any]) -> Callable[..., Deferred[Any]]:
    """Have a function return a Deferred, whatever it does."""
    return wraps(func)(lambda *args, **kwargs: maybeDeferred(func, *args, **kwargs))


def inthread(func: Callable[..., Any]) -> Callable[..., Deferred[Any]]:
    """Have a function run in a thread, and return a Deferred."""
    return wraps(func)(lambda *args, **kwargs: deferred_from_coro(run_in_thread(func, *args, **kwargs)))
