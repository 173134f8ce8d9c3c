"""By what names are things of the user's spoken of, whatever they are?"""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

from crawler.model.fields import Callback


def short_name_of(function: Callback | str) -> str:
    """Return the name of a function, or of a method that a request names by a string."""
    if isinstance(function, str):
        return function
    return getattr(function, "__name__", None) or type(function).__name__


def name_of(callback: Callback | None) -> str:
    """Return the name of the function that a callback comes to: one of few, however many requests there are."""
    while isinstance(callback, partial):
        callback = callback.func
    if callback is None:
        return "parse"
    return getattr(callback, "__qualname__", None) or type(callback).__qualname__


def unfit(result: Any) -> str:
    """Say what is wrong with a result of a callback that is neither request nor item."""
    hint = ""
    if inspect.iscoroutine(result):
        result.close()  # or Python warns that nobody awaited it
        hint = "; await it"
    elif inspect.isgenerator(result):
        hint = "; yield from it"
    try:
        shown = repr(result)[:80]
    except BaseException:  # an object of the user's own class, which may even leave
        shown = "one that has no repr"
    return (
        "a callback may yield requests, items (dict, dataclass, attrs, pydantic, msgspec.Struct), None, and lists of "
        f"them, but this one yielded {type(result).__name__}: {shown}{hint}"
    )
