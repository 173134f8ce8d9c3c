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


def _steps(function: Callable[..., Any]) -> list[tuple[str, Any]] | None:
    code = getattr(function, "__code__", None)
    return None if code is None else [(step.opname, step.argval) for step in dis.get_instructions(code)]


_IDLE = (_steps(_nothing), _steps(_the_response))


def does_nothing(method: Callable[..., Any]) -> bool:
    """Tell whether a method's code is that of a `return None`, or of a `return response`."""
    return _steps(getattr(method, "__func__", method)) in _IDLE
