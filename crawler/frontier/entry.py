"""What does the frontier hold for one accepted request?"""

from __future__ import annotations

from typing import Any, NamedTuple

from crawler.model.request import Request


class Attempt(NamedTuple):
    """One exchange of a request, for `crawler explain`: ``outcome`` is a status or an error's name."""

    when: float
    url: str
    outcome: str
    detail: str


class Entry:
    """An accepted request in its queue, in flight, or waiting for its turn again.

    ``token`` names it in the store (0: carried, it has no row there). ``order`` is the number under
    which it was found; within a host the smallest ``key`` (priority first, then order) goes first.
    ``host`` is the slot key, ``origin`` is "scheme://host:port", whose robots.txt is asked. ``unit`` belongs
    to the engine: the unit of work whose commit this request's results are part of; so does
    ``attempts_log``, what its exchanges came to since it was last committed.
    """

    __slots__ = ("attempts_log", "host", "key", "order", "origin", "request", "robots", "token", "unit")

    def __init__(
        self,
        request: Request,
        *,
        token: int,
        order: int,
        host: str,
        origin: str,
        robots: bool = False,
        unit: Any = None,
    ) -> None:
        self.request = request
        self.token = token
        self.order = order
        self.key = (-request.priority, order)
        self.host = host
        self.origin = origin
        self.robots = robots
        self.unit = unit
        self.attempts_log: list[Attempt] | None = None

    def __repr__(self) -> str:
        return f"<Entry {self.token} {self.request.method} {self.request.url} key={self.key}>"

    @property
    def carried(self) -> bool:
        """Tell whether it has no row of its own and waits under its parent's lease."""
        return self.token == 0
