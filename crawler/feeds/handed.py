"""How do the items of a crawl get to the code that began it?

Such code is one more feed. So it gets what is committed, in that order and each once, a feed that is slow lets the
callbacks wait, and a job that goes on knows by the feed's mark what the code has had.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Condition
from typing import Any


class Collected:
    """A feed that keeps all items in ``items``.

    Its mark never moves, so a job keeps the items, and one that goes on in another process has them all.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.items: list[Any] = []

    def check(self) -> None:
        """Nothing can be wrong with memory."""

    def open(self, mark: dict[str, Any] | None, *, durable: bool) -> None:
        """Begin; what the job has is written first, for the mark is at its beginning."""

    def write(self, items: Sequence[Any], number: int) -> dict[str, Any]:
        """Keep the items."""
        self.items += items
        return {"number": 0}

    def kept(self, mark: dict[str, Any]) -> None:
        """Nothing waits for a mark."""

    def committed(self, mark: dict[str, Any]) -> None:
        """Nothing waits for a mark."""

    def close(self, *, finished: bool) -> dict[str, Any]:
        """Return the mark."""
        return {"number": 0}

    def leave(self) -> None:
        """Nobody takes more."""

    def count(self) -> int:
        """Return how many items there are."""
        return len(self.items)


class Handed(Collected):
    """A feed that hands items over in batches, and waits until each is taken.

    ``offer(items)`` is called in the feed's thread; whoever takes them says so by ``take()`` for each item, and by
    ``leave()`` that nobody takes more: what was not taken is left to the job, if there is one.
    """

    backlog = 100
    """Callbacks wait while so many items wait; feeds of files are fast, and may be further behind."""

    def __init__(self, name: str, offer: Callable[[Sequence[Any]], object]) -> None:
        super().__init__(name)
        self._offer = offer
        self._changed = Condition()
        self._untaken = 0
        self._taken = 0
        self._number = 0
        self._left = False

    def open(self, mark: dict[str, Any] | None, *, durable: bool) -> None:
        """Begin, behind what was taken before."""
        self._number = int(mark["number"]) if mark else 0

    def write(self, items: Sequence[Any], number: int) -> dict[str, Any]:
        """Hand the items over; the mark is the last that was taken. A job numbers its items without gaps."""
        if items and not self._left:
            with self._changed:
                self._untaken = len(items)
                self._offer(items)
                self._changed.wait_for(lambda: self._left or not self._untaken)
            self._number = number - self._untaken
        return {"number": self._number}

    def take(self) -> None:
        """One more item is taken. From any thread."""
        with self._changed:
            self._untaken -= 1
            self._taken += 1
            if not self._untaken:
                self._changed.notify_all()

    def leave(self) -> None:
        """Nobody takes more. From any thread."""
        with self._changed:
            self._left = True
            self._changed.notify_all()

    def close(self, *, finished: bool) -> dict[str, Any]:
        """Return the mark."""
        return {"number": self._number}

    def count(self) -> int:
        """Return how many items were taken."""
        return self._taken
