"""Does every accepted request end exactly once?

accepted = answered + failed + dropped + left. What is refused before acceptance is not in these books.
"""

from __future__ import annotations

from crawler.errors import BooksDoNotBalance
from crawler.events import Events, RequestEnded
from crawler.model.masking import masked
from crawler.model.request import Request


class Books:
    """Counts acceptances and terminal events, and publishes the latter."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self.accepted = 0
        self.carried = 0  # of those that have not ended: requests without a row of their own
        self.ended = {"answered": 0, "failed": 0, "dropped": 0}

    def __repr__(self) -> str:
        return f"<Books accepted={self.accepted} {self.ended}>"

    def end(self, request: Request, outcome: str, reason: str, detail: str = "", *, status: int | None = None) -> None:
        """An accepted request has ended."""
        self.ended[outcome] += 1
        self._events.publish(RequestEnded(request, outcome, reason, detail and masked(detail), status))

    def end_carried(
        self, request: Request, outcome: str, reason: str, detail: str = "", *, status: int | None = None
    ) -> None:
        """An accepted request that is carried has ended."""
        self.carried -= 1
        self.end(request, outcome, reason, detail, status=status)

    @property
    def unfinished(self) -> int:
        """How many accepted requests have not ended; without the carried ones, which their parents repeat."""
        return self.accepted - sum(self.ended.values()) - self.carried

    def check(self, left: int) -> None:
        """Raise BooksDoNotBalance unless the sum is right; ``left`` are still queued."""
        if self.accepted != sum(self.ended.values()) + left:
            raise BooksDoNotBalance(
                f"{self.accepted} requests were accepted, but {self.ended['answered']} answered, "
                f"{self.ended['failed']} failed, {self.ended['dropped']} dropped and {left} left make "
                f"{sum(self.ended.values()) + left}"
            )
