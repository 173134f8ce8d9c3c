"""How are a project's classes found by their paths and made? Scrapy's ``scrapy.utils.misc``."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def load_object(path: Any) -> Any:
    """Return what a dotted path names; a class or function is returned as it is.

    Raises TypeError for what is neither, ValueError for a name without module, NameError for a module that has no such
    name, and whatever the module's import raises.
    """
    if not isinstance(path, str):
        if callable(path):
            return path
        raise TypeError(f"expected a class, a function or the dotted path of one, got {type(path).__name__}: {path!r}")
    module, dot, name = path.rpartition(".")
    if not dot:
        raise ValueError(f"Error loading object {path!r}: not a full path; expected MODULE.NAME")
    try:
        # Scrapy's own are ours, be the door open or not.
        return getattr(import_module(f"crawler.{module}" if path.startswith("scrapy.") else module), name)
    except AttributeError:
        raise NameError(f"Module {module!r} doesn't define any object named {name!r}") from None


def build_from_crawler(objcls: Any, crawler: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Make an object by its class's ``from_crawler(crawler)`` if it has one, else by its constructor.

    Raises TypeError if that gives None, and whatever the user's code raises.
    """
    by = "from_crawler" if hasattr(objcls, "from_crawler") else "__new__"
    made = objcls(*args, **kwargs) if by == "__new__" else objcls.from_crawler(crawler, *args, **kwargs)
    if made is None:
        raise TypeError(f"{objcls.__qualname__}.{by} returned None")
    return made
