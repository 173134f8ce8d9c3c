"""What do a worker of a crawl that processes share and their store tell each other?

A worker owns hosts: what it holds it may ask, as far as its permits go, by the rules of one process. With each of its
calls the store pulls a ``Report`` of what it holds, and tells the ``Listener`` what others have changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from crawler.errors import RequestError
from crawler.frontier.host import Entry, Key


class Grant(NamedTuple):
    """This worker may ask a host from now on: with ``permits`` requests at once, the next one in ``wait`` seconds.

    ``queued`` requests of it are in the store, of which ``first`` is the smallest key.
    """

    host: str
    permits: int
    wait: float
    queued: int
    first: Key | None


class Told(NamedTuple):
    """How a host may be asked, as its owner sees it: the next request in ``wait`` seconds, ``concurrency`` at once, and
    ``delay`` seconds between two. ``shareable``: several workers may ask it at the same time.
    """

    host: str
    wait: float
    shareable: bool
    concurrency: int
    delay: float


@dataclass(slots=True, kw_only=True)
class Report:
    """What a worker tells the store with its next call; times are seconds from now.

    ``told``: hosts of which something has changed, and how wanted ones would be asked. ``held``: hosts that it goes on
    with by fewer permits; 0: given up. ``returned``: requests that go back into the queue, each with its wait.
    ``wanted``: hosts without a permit that something here waits for. ``room``: how many further hosts are welcome.
    ``facts``: of hosts that are given up.
    ``aside``: whether code works for itself here, that of an extension for example; None: as told before.
    """

    told: list[Told] = field(default_factory=list)
    held: list[tuple[str, int]] = field(default_factory=list)
    returned: list[tuple[Entry, float]] = field(default_factory=list)
    wanted: list[str] = field(default_factory=list)
    room: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    aside: bool | None = None


class Listener(Protocol):
    """Who owns what this worker holds. All is called on the reactor."""

    def report(self) -> Report:
        """Return what is to be told now."""

    def granted(self, grants: Sequence[Grant], facts: dict[str, Any]) -> None:
        """These hosts may be asked; ``facts`` is what is known of them."""

    def asked(self, host: str, permits: int) -> None:
        """Others want the host: go down to so many permits."""

    def stored(self, host: str, count: int, first: Key | None) -> None:
        """So many requests of a host are in the store now."""

    def doomed(self, entry: Entry, error: RequestError) -> None:
        """This request was taken for this worker, and is not to be tried again: it ends with the error."""

    def changed_facts(self, facts: dict[str, Any]) -> None:
        """Other workers have learnt this. Called before the answers that come with it: requests that are taken out just
        now are sent at once, with the cookies of the login that led to them."""

    def start(self, count: int, digests: list[int]) -> None:
        """This worker runs start(), which has delivered so much before."""

    def hungry(self, workers: int) -> None:
        """So many other workers have nothing to do."""

    def behind(self, behind: bool) -> None:
        """The feeds are far behind: callbacks wait."""

    def stop(self, reason: str) -> None:
        """The crawl is to stop."""

    def fenced(self) -> None:
        """The lease is nearly over: what is open is closed, and sent again."""

    def over(self, reason: str) -> None:
        """Nothing is left to do, here or elsewhere."""

    def idle(self) -> None:
        """Nothing is left but start(), which runs here."""

    def lost(self, error: BaseException) -> None:
        """The store cannot be used any more: this worker is late, or the server is gone."""


class Alone:
    """How a store answers what is asked of one that processes share, if it is the store of one process."""

    takes = False

    def listen(self, listener: Listener) -> None:
        """Nobody else changes anything."""

    def may_send(self) -> bool:
        """Always."""
        return True

    def look(self) -> None:
        """Nobody is to be told."""

    def running(self, token: int) -> None:
        """Nobody would do it again."""

    def stop(self, reason: str) -> None:
        """There are no others."""
