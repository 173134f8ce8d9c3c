"""How is a thing done once for all who ask for it?"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred

T = TypeVar("T")


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
            return self._known[key]
        self._waiting[key] = []
        try:
            made = self._known[key] = await make()
            if len(self._known) > self._most:
                del self._known[next(iter(self._known))]
            return made
        finally:
            for turn in self._waiting.pop(key):
                turn.callback(None)
