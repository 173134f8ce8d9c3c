"""What may be done to a running crawl?

A ``Control`` is what a page, a console and a command act on: that of a crawl in this process
(``crawler.engine.steering``), or one that tells the workers of a cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred


class LiveSetting(NamedTuple):
    """A setting that may be changed while the crawl runs: its ``value`` now, and per host where that differs.

    ``what``: what a change does. ``who`` changed it last, and ``when`` (seconds since the epoch); "" and 0.0: nobody
    has. ``of_host``: whether a host may have a value of its own.
    """

    value: Any
    what: str
    who: str = ""
    when: float = 0.0
    of_host: bool = False
    hosts: Mapping[str, Any] = {}


class Control(Protocol):
    """What may be done to a running crawl. To be called where the crawl runs, in the reactor's thread.

    Each method returns a sentence that says what was done, and raises SteeringError with what would be right. ``who``
    is who asks, for the log and for the job: "page", "console alice", "attach root". A host is named by the key of its
    queue (its name, unless SLOT_KEY or meta ``download_slot`` says otherwise). Each action is a ``Steered`` event, and
    so is each that was refused.
    """

    def pause(self, host: str | None, *, who: str) -> str:
        """Send nothing to a host, or to none at all, until ``resume``. What is in flight is answered."""

    def resume(self, host: str | None, *, who: str) -> str:
        """Go on with a host, or with all: hosts that were paused by name stay so then."""

    def set(self, name: str, value: object, *, host: str | None, who: str) -> str:
        """Change a setting from now on, of a host or of all; a text is read as that of ``-s NAME=VALUE`` is."""

    def add(self, url: str, *, who: str) -> str:
        """Ask for one more URL, as start() does: the spider's default callback gets it, though it was seen before."""

    def drop(self, host: str, *, who: str) -> Deferred[str]:
        """Let all that is queued for a host end as dropped ("by_hand"), in memory and in the job."""

    def stop(self, *, who: str) -> str:
        """End the crawl once what is in flight has been answered; a job can be resumed."""

    def explain(self, url: str) -> Deferred[list[str]]:
        """Tell, in lines, what the crawl knows of a URL."""

    def live(self) -> Mapping[str, LiveSetting]:
        """Return what may be set, by name."""

    def refused(self, why: str, *, who: str) -> None:
        """Note that something else was asked for in vain, such as an unknown word: it is a ``Steered`` event."""
