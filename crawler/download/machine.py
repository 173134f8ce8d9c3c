"""What of the machine does the way to the network stand on?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from crawler.download.middleware.chain import Drive
    from crawler.download.net.interfaces import DelayedCall
    from crawler.download.seam import Downloader
    from crawler.threads import Pools


class Clock(Protocol):
    """The time that users' downloaders are allowed, and what a cache and an archive date by."""

    def wall(self) -> float:
        """Return seconds since the epoch."""

    def callLater(self, delay: float, call: Any, *args: Any) -> DelayedCall:  # noqa: N802 - Twisted's name
        """Call back after so many seconds."""


class Machine(Protocol):
    """Time, tasks and threads."""

    @property
    def clock(self) -> Clock:
        """The time."""

    @property
    def drive(self) -> Drive:
        """Runs users' coroutines."""

    @property
    def pools(self) -> Pools:
        """Makes threads."""


class World(Protocol):
    """What a crawl stands on; tests have another one."""

    @property
    def reactor(self) -> Any:
        """What connections are made with; None in memory, where ``downloader`` makes none."""

    @property
    def machine(self) -> Machine:
        """Time, tasks and threads."""

    @property
    def downloader(self) -> Downloader | None:
        """What takes the place of the downloader that the settings name."""
