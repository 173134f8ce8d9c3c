"""How is a thing done once for all who ask for it, and how are many small things done at once?"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Hashable
from math import ceil
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.threads import Pool

T = TypeVar("T")
A = TypeVar("A", bound=tuple[Any, ...])


class Shared(Generic[T]):
    """Results by key: made by the first who asks, waited for by all who ask meanwhile, and remembered.

    Of those who wait the next one makes it, if the first one is stopped or fails. ``most`` are remembered.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[Hashable, T] = {}
        self._waiting: dict[Hashable, list[Deferred[None]]] = {}

    def __repr__(self) -> str:
        return f"<Shared: {len(self._known)} known, {len(self._waiting)} being made>"

    async def get(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return the result of this key; raises what ``make`` raises here."""
        while key in self._waiting:
            turn: Deferred[None] = Deferred()
            self._waiting[key].append(turn)
            await turn
        if key in self._known:
            known = self._known[key] = self._known.pop(key)  # what is asked for often is forgotten last
            return known
        self._waiting[key] = []
        try:
            made = self._known[key] = await make()
            if len(self._known) > self._most:
                del self._known[next(iter(self._known))]
            return made
        finally:
            for turn in self._waiting.pop(key):
                turn.callback(None)


BATCH = 50
"""So many calls go to a thread at once."""


class Batched(Generic[A, T]):
    """Calls a function in ``threads`` of a pool: while all are busy arguments gather, and go there together.

    A way to a thread and back costs more than a short call.
    """

    def __init__(self, pool: Pool, threads: int, call: Callable[..., T]) -> None:
        self._pool = pool
        self._idle = threads
        self._threads = threads
        self._call = call
        self._gathered: deque[tuple[A, Deferred[T]]] = deque()

    def of(self, arguments: A) -> Deferred[T]:
        """Return the Deferred of what the function answers."""
        answered: Deferred[T] = Deferred()
        self._gathered.append((arguments, answered))
        if self._idle:
            self._send()
        return answered

    def _send(self) -> None:
        share = min(ceil(len(self._gathered) / self._threads), BATCH)
        batch = [self._gathered.popleft() for _ in range(share)]
        self._idle -= 1
        self._pool.run(self._called, [arguments for arguments, _ in batch]).addCallback(self._returned, batch)

    def _called(self, batch: list[A]) -> list[T | Failure]:
        return [self._one(arguments) for arguments in batch]

    def _one(self, arguments: A) -> T | Failure:
        try:
            return self._call(*arguments)
        except Exception:
            return Failure()

    def _returned(self, results: list[T | Failure], batch: list[tuple[A, Deferred[T]]]) -> None:
        self._idle += 1
        if self._gathered:
            self._send()
        for result, (_, answered) in zip(results, batch, strict=True):
            answered.callback(result)
