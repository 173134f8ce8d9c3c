"""What do Scrapy's users borrow from it that Python itself might have had?"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


def is_listlike(x: Any) -> bool:
    """Tell whether something can be iterated over and is no text."""
    return hasattr(x, "__iter__") and not isinstance(x, str | bytes)


def unique(list_: Iterable[T], key: Callable[[T], Any] = lambda each: each) -> list[T]:
    """Return the first of each key, in order."""
    first: dict[Any, T] = {}
    for each in list_:
        first.setdefault(key(each), each)
    return list(first.values())


def to_unicode(text: str | bytes, encoding: str | None = None, errors: str = "strict") -> str:
    """Return text as str. Raises TypeError for anything else."""
    if isinstance(text, str):
        return text
    if not isinstance(text, bytes):
        raise TypeError(f"to_unicode must receive a bytes or str object, got {type(text).__name__}")
    return text.decode(encoding or "utf-8", errors)


def to_bytes(text: str | bytes, encoding: str | None = None, errors: str = "strict") -> bytes:
    """Return text as bytes. Raises TypeError for anything else."""
    if isinstance(text, bytes):
        return text
    if not isinstance(text, str):
        raise TypeError(f"to_bytes must receive a str or bytes object, got {type(text).__name__}")
    return text.encode(encoding or "utf-8", errors)


def get_func_args_dict(func: Callable[..., Any], stripself: bool = False) -> Mapping[str, inspect.Parameter]:
    """Return the parameters that are left to give; none where they cannot be known. Raises TypeError."""
    if not callable(func):
        raise TypeError(f"func must be callable, got '{type(func).__name__}'")
    try:
        parameters = inspect.signature(func).parameters
    except ValueError:
        return {}
    given = func.keywords if isinstance(func, partial) else {}
    return {name: each for name, each in parameters.items() if name not in given and not (stripself and name == "self")}


def get_func_args(func: Callable[..., Any], stripself: bool = False) -> list[str]:
    """Return the names of the parameters that are left to give."""
    return list(get_func_args_dict(func, stripself))


def without_none_values(iterable: Any) -> Any:
    """Return a mapping, or a collection, without what is None."""
    if isinstance(iterable, Mapping):
        return {key: value for key, value in iterable.items() if value is not None}
    return type(iterable)(value for value in iterable if value is not None)


def global_object_name(obj: Any) -> str:
    """Return the path that a class or function is imported by: of those behind the door Scrapy's."""
    module = obj.__module__.removeprefix("crawler.") if obj.__module__.startswith("crawler.scrapy.") else obj.__module__
    return f"{module}.{obj.__qualname__}"
