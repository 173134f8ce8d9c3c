"""How are methods of a project's components called, of which some want the spider and some do not?"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any


def parameters_of(method: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return the parameters of a method; none of one that does not say."""
    try:
        return list(inspect.signature(method).parameters.values())
    except (TypeError, ValueError):
        return []


def by_name(method: Callable[..., Any], spider: Any) -> Callable[..., Any]:
    """Return a method, to be called with everything but the spider by name."""
    return partial(method, spider=spider) if any(each.name == "spider" for each in parameters_of(method)) else method


def by_place(method: Callable[..., Any], spider: Any, own: int) -> Callable[..., Any]:
    """Return a method, to be called with its ``own`` first arguments, behind which it may want the spider."""
    places = [each for each in parameters_of(method) if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    if len(places) > own and (places[own].default is inspect.Parameter.empty or places[own].name == "spider"):
        return lambda *arguments: method(*arguments, spider)
    return by_name(method, spider) if any(each.name == "spider" for each in parameters_of(method)) else method
