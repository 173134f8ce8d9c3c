"""How are objects loaded by their path, and components made?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from crawler.scrapy.item import Item


def arg_to_iter(arg: Any) -> Iterable[Any]:
    """Return an iterable as it is, nothing for None, and anything else as the one element of a list."""
    if arg is None:
        return ()
    return arg if hasattr(arg, "__iter__") and not isinstance(arg, dict | Item | str | bytes) else [arg]


def load_object(path: Any) -> Any:
    """Return what a dotted path names; a class or a function as it is.

    Raises TypeError, ValueError for what is no full path, ImportError, and NameError for a name that is not there.
    """
    if not isinstance(path, str):
        if callable(path):
            return path
        raise TypeError(f"Unexpected argument type, expected string or object, got: {type(path)}")
    module, dot, name = path.rpartition(".")
    if not dot:
        raise ValueError(f"Error loading object '{path}': not a full path")
    try:
        # Scrapy's own are ours, be the door open or not.
        return getattr(import_module(f"crawler.{module}" if path.startswith("scrapy.") else module), name)
    except AttributeError:
        raise NameError(f"Module '{module}' doesn't define any object named '{name}'") from None


def walk_modules_iter(path: str) -> Iterator[ModuleType]:
    """Import a module and all below it. Raises what one of them raises."""
    module = import_module(path)
    yield module
    for _, name, is_package in iter_modules(getattr(module, "__path__", ())):
        if is_package:
            yield from walk_modules_iter(f"{path}.{name}")
        else:
            yield import_module(f"{path}.{name}")


def walk_modules(path: str) -> list[ModuleType]:
    """Return a module and all below it, imported."""
    return list(walk_modules_iter(path))


def rel_has_nofollow(rel: str | None) -> bool:
    """Tell whether a link's rel asks not to be followed."""
    return rel is not None and "nofollow" in rel.lower().replace(",", " ").split()


def build_from_crawler(objcls: Any, crawler: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Make a component by its from_crawler(), or else its constructor. Raises TypeError if that gives None."""
    made_by = "from_crawler" if hasattr(objcls, "from_crawler") else "__new__"
    instance = objcls.from_crawler(crawler, *args, **kwargs) if made_by == "from_crawler" else objcls(*args, **kwargs)
    if instance is None:
        raise TypeError(f"{objcls.__qualname__}.{made_by} returned None")
    return instance


def create_instance(objcls: Any, settings: Any, crawler: Any, *args: Any, **kwargs: Any) -> Any:
    """Make a component, as before Scrapy 2.12: by from_crawler(), from_settings() or its constructor.

    Raises ValueError without settings and crawler, TypeError for None.
    """
    if settings is None and crawler is None:
        raise ValueError("Specify at least one of settings and crawler.")
    if crawler is not None and hasattr(objcls, "from_crawler"):
        return build_from_crawler(objcls, crawler, *args, **kwargs)
    if hasattr(objcls, "from_settings"):
        settings = crawler.settings if settings is None else settings
        instance = objcls.from_settings(settings, *args, **kwargs)
    else:
        instance = objcls(*args, **kwargs)
    if instance is None:
        raise TypeError(f"{objcls.__qualname__} gave None in the place of an instance")
    return instance
