"""What does the board see of a crawl, beside its events and stats?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from crawler.frontier.host import HostQueue
from crawler.frontier.hosts import Hosts
from crawler.model.request import Request


class Timer(Protocol):
    """A later call."""

    def cancel(self) -> None:
        """Do not call."""


class Clock(Protocol):
    """Time, as a crawl has it: monotonic seconds, the wall's, and later calls."""

    def seconds(self) -> float:
        """Return monotonic seconds."""

    def wall(self) -> float:
        """Return seconds since the epoch."""

    def callLater(self, delay: float, call: Callable[..., Any], *args: Any) -> Timer:  # noqa: N802 - Twisted's name
        """Call back after ``delay`` seconds."""


class Seen(Protocol):
    """A crawl, to be looked at. Nothing of it may be changed here."""

    @property
    def state(self) -> str:
        """How far it is: a phase of the engine's, or "paused"."""

    @property
    def queued(self) -> int:
        """How many requests wait, in memory and in the store."""

    @property
    def in_flight(self) -> int:
        """How many exchanges are under way."""

    @property
    def full(self) -> bool:
        """Whether no request could be sent, since as many as may be are under way."""

    @property
    def hosts(self) -> Hosts:
        """The queues of the hosts that the frontier knows."""

    def host_of(self, request: Request) -> str:
        """Return whose queue a request waits in."""

    def slowed(self, host: str) -> bool:
        """Tell whether the throttle lets a host be asked less than configured."""

    def robots(self, host: HostQueue) -> str:
        """Return what is known of a host's robots.txt, as HostRow has it."""

    def paused(self, host: str) -> bool:
        """Tell whether somebody has paused the host, or the crawl."""

    @property
    def commits(self) -> tuple[int, float]:
        """How many groups of results the job's store has kept, and for how many seconds they were waited for."""

    def feeds(self) -> Sequence[tuple[str, int]]:
        """Return the path of each feed, and how many items it has so far."""
