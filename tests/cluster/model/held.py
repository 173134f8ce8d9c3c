"""What has a worker of the model: requests that it took, and hosts that it may ask?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from crawler.storage.cluster.wire import Tell
from tests.cluster.model.world import World

SLOWED = 500


@dataclass(eq=False)
class Unit:
    """A request that was taken. ``at``: the host that its open exchange is with; ``carries``: a page fetched in it."""

    token: int
    host: str
    payload: bytes
    priority: int
    at: str
    not_before: float = 0.0
    open: list[Any] | None = None
    carried: bool = False
    carries: int = -1
    deaths: int = 0

    @property
    def page(self) -> int:
        return int(self.payload.split()[0])


@dataclass(eq=False)
class Aside:
    """Work of code that works for itself: it ``carries`` a page, once that is ``claimed``, and yields a ``page``."""

    page: int
    carries: int
    claimed: bool = False
    told: bool = False


@dataclass(eq=False)
class Host:
    """What a worker knows of a host: ``rows`` of it are on the server. ``slow``: it was overloaded."""

    permits: int = 0
    target: int | None = None
    next: float = 0.0
    flying: int = 0
    rows: int = 0
    queue: list[Unit] = field(default_factory=list)
    carried: list[Unit] = field(default_factory=list)
    changed: bool = False
    slow: bool = False

    def tell(self, name: str, world: World) -> Tell:
        """Return what the server is told of it."""
        delay, concurrency = self.delay(name, world), world.concurrency[name]
        shareable = not delay and concurrency > 1
        return Tell(name, int(max(0, self.next - world.now)), shareable, concurrency, delay)

    def delay(self, name: str, world: World) -> int:
        """Return the milliseconds between two requests: one that is overloaded gets some, too."""
        return world.delay[name] or SLOWED * self.slow
