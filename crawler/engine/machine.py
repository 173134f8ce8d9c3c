"""What of the machine does a crawl stand on?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.base import ReactorBase

from crawler.engine.clock import Clock
from crawler.engine.user_code.tasks import Drive
from crawler.threads import Pools


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Time, chance, tasks and threads. ``random`` is uniform in [0, 1).

    ``reactor`` is None where none runs, in virtual time.
    """

    clock: Clock
    random: Callable[[], float]
    drive: Drive
    pools: Pools
    reactor: ReactorBase | None
