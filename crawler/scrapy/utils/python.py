"""What do Scrapy's users borrow from it that Python itself might have had?"""

from __future__ import annotations

import gc
import inspect
import weakref
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from functools import partial, wraps
from typing import Any, Self, TypeVar

from crawler.scrapy.utils.asyncgen import as_async_generator

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


def memoizemethod_noargs(method: Callable[..., T]) -> Callable[..., T]:
    """Call a method once for each object, as long as it lives."""
    known: weakref.WeakKeyDictionary[Any, T] = weakref.WeakKeyDictionary()

    @wraps(method)
    def remembered(self: Any, *args: Any, **kwargs: Any) -> T:
        if self not in known:
            known[self] = method(self, *args, **kwargs)
        return known[self]

    return remembered


_NO_TEXT = frozenset(range(32)) - frozenset(b"\0\t\n\r")


def binary_is_text(data: bytes) -> bool:
    """Tell whether bytes have no control characters. Raises TypeError."""
    if not isinstance(data, bytes):
        raise TypeError(f"data must be bytes, got '{type(data).__name__}'")
    return _NO_TEXT.isdisjoint(data)


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


def get_spec(func: Callable[..., Any]) -> tuple[list[str], dict[str, Any]]:
    """Return the parameters without a default, and the defaults of the others. Raises TypeError."""
    if not callable(func):
        raise TypeError(f"{type(func)} is not callable")
    plain = inspect.isfunction(func) or inspect.ismethod(func)
    spec = inspect.getfullargspec(func if plain else type(func).__call__)
    defaults = spec.defaults or ()
    first = len(spec.args) - len(defaults)
    return spec.args[:first], dict(zip(spec.args[first:], defaults, strict=True))


def without_none_values(iterable: Any) -> Any:
    """Return a mapping, or a collection, without what is None."""
    if isinstance(iterable, Mapping):
        return {key: value for key, value in iterable.items() if value is not None}
    return type(iterable)(value for value in iterable if value is not None)


def global_object_name(obj: Any) -> str:
    """Return the path that a class or function is imported by."""
    return f"{obj.__module__}.{obj.__qualname__}"


def garbage_collect() -> None:
    """Collect what nothing refers to."""
    gc.collect()


async def _chained(*iterables: Iterable[T] | AsyncIterator[T]) -> AsyncIterator[T]:
    for iterable in iterables:
        async for each in as_async_generator(iterable):
            yield each


class MutableAsyncChain(AsyncIterator[T]):
    """What several iterables give, one after the other; more may be put behind them."""

    def __init__(self, *args: Iterable[T] | AsyncIterator[T]) -> None:
        self.data: AsyncIterator[T] = _chained(*args)

    def extend(self, *iterables: Iterable[T] | AsyncIterator[T]) -> None:
        """Put more behind."""
        self.data = _chained(self.data, *iterables)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        return await anext(self.data)
