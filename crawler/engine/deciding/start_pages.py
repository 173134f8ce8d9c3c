"""May what start() asked for be asked for once more?

A spider that lists a page as a start and meets it again as a link wants both callbacks to have it. So another
callback than start()'s is a new request once, under a fingerprint of its own; from then on the page is seen for
every callback, as all others are for start()'s own callback from the beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol
from zlib import crc32

from crawler.engine.keeping.unit import Unit
from crawler.frontier.store import Offer

_ANOTHER = 0x5B9C_41E7_8F26_A30D
"""Makes the fingerprint of the second request out of that of the first."""

_KEY = 2**48 - 1


class Marks(Protocol):
    """A set of numbers that may become large."""

    def add(self, number: int, /) -> bool:
        """Add a number."""

    def __contains__(self, number: int, /) -> bool: ...

    def __len__(self) -> int: ...


class StartPages:
    """The pages of start(), each with its callback, as numbers that the job keeps beside start()'s digests.

    A mark has 48 bits of the fingerprint and, above them, 16 of the callback's name, which are never 0:
    without them it says that start() asked for the page. Other numbers among the marks do no harm.
    ``default`` is the name of the callback of requests that name none.
    """

    def __init__(self, marks: Marks, default: str) -> None:
        self._marks = marks
        self._default = default

    def __repr__(self) -> str:
        return f"<StartPages, {len(self._marks)} marks>"

    def restore(self, marks: Iterable[int]) -> None:
        """Take marks in, those that earlier runs of the job noted for example."""
        for mark in marks:
            self._marks.add(mark & _KEY)
            self._marks.add(mark)

    def taken(self, offer: Offer, unit: Unit) -> Offer:
        """Return ``another(offer)``; what a unit of start() asks for is noted, here and with the unit."""
        taken = self.another(offer)
        if unit.entry is None:
            mark = self._mark(offer)
            self.restore([mark])
            unit.start_digests.append(mark)
        return taken

    def another(self, offer: Offer) -> Offer:
        """Return the offer, as one of its own if start() asked for its page with another callback."""
        if (offer.fingerprint ^ _ANOTHER) & _KEY not in self._marks or self._mark(offer) in self._marks:
            return offer
        return offer._replace(fingerprint=offer.fingerprint ^ _ANOTHER)

    def _mark(self, offer: Offer) -> int:
        callback = offer.request.callback
        name = self._default if callback is None else name_of(callback)
        return (offer.fingerprint ^ _ANOTHER) & _KEY | (crc32(name.encode()) % 0xFFFF + 1) << 48


def name_of(callback: Callable[..., Any] | str) -> str:
    """Return by what one callback is told from another: its name, which a resume finds the same."""
    if isinstance(callback, str):
        return callback
    while (function := getattr(callback, "func", None)) is not None:  # a partial
        callback = function
    name = str(getattr(callback, "__name__", type(callback).__qualname__))
    return name if name.isidentifier() else str(getattr(callback, "__qualname__", name))  # "<lambda>": its place
