"""How are asynchronous and plain iterables read alike?"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import TypeVar

T = TypeVar("T")


async def collect_asyncgen(result: AsyncIterator[T]) -> list[T]:
    """Return all that an asynchronous iterator gives."""
    return [each async for each in result]


async def as_async_generator(it: Iterable[T] | AsyncIterator[T]) -> AsyncGenerator[T]:
    """Yield what an iterable of either kind gives."""
    if isinstance(it, AsyncIterator):
        async for each in it:
            yield each
    else:
        for each in it:
            yield each
