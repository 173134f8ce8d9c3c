"""Does a method do anything but pass on what it is given?

The file that `startproject` writes has middlewares whose methods all do no more; most projects leave some as they are.
"""

from __future__ import annotations

import dis
from collections.abc import Callable
from typing import Any


def _nothing(self: Any, request: Any) -> None:
    pass


def _the_response(self: Any, request: Any, response: Any) -> Any:
    return response


def _each(self: Any, result: Any) -> Any:
    for each in result:  # noqa: UP028  # as projects have it
        yield each


async def _each_later(self: Any, result: Any) -> Any:
    async for each in result:
        yield each


def _steps(function: Callable[..., Any]) -> list[tuple[str, Any]] | None:
    code = getattr(function, "__code__", None)
    return None if code is None else [(step.opname, step.argval) for step in dis.get_instructions(code)]


def _passing(function: Callable[..., Any]) -> list[tuple[str, Any]]:
    """Return what a loop does, whatever the name of its variable."""
    named = {"start": "result", "start_requests": "result"}
    return [(name, named.get(value, value)) for name, value in _steps(function) or () if name != "STORE_FAST"]


_IDLE = (_steps(_nothing), _steps(_the_response))
_LOOPS = (_passing(_each), _passing(_each_later))


def does_nothing(method: Callable[..., Any]) -> bool:
    """Tell whether a method's code is that of a `return None`, or of a `return response`."""
    return _steps(getattr(method, "__func__", method)) in _IDLE


def passes_on(method: Callable[..., Any]) -> bool:
    """Tell whether a method's code is that of a loop that yields each of the results it is given, and does no more."""
    function = getattr(method, "__func__", method)
    stored = [value for name, value in _steps(function) or () if name == "STORE_FAST"]
    return (
        len(stored) == 1
        and [(name, "each" if value == stored[0] else value) for name, value in _passing(function)] in _LOOPS
    )
