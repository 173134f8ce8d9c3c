"""How many workers run here, and what becomes of one that dies?

A worker that was killed, came too late for its lease or used too much memory is buried on the server at once, with the
request that it worked on, and another one takes its place. It has to be a new process: a spider cannot be put back to
its beginning.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred

from crawler.commands.cluster.child import Child
from crawler.storage.cluster.temporary import TemporaryFolder

if TYPE_CHECKING:
    from twisted.internet.base import DelayedCall, ReactorBase

logger = logging.getLogger("crawler")

MOST_DEATHS = 5
"""So often, for each worker that there is, one may die within QUICK_SECONDS of its start while nothing is done."""

QUICK_SECONDS = 5.0
LONGEST_PAUSE = 8.0
"""The longest time before a worker that died at once is started again, in seconds; it doubles from one quarter."""

USAGE = 2
STOPPED_BY_HAND = 130


class Whose(Protocol):
    """Whose workers these are, and what stands on the server, as far as their parent needs it."""

    def command(self, child: Child) -> Sequence[str]:
        """Return the command that starts a worker."""

    def said(self, name: str, line: str) -> None:
        """A worker of this name wrote a line to stderr."""

    def gave_up(self, problem: str) -> None:
        """No worker is started any more that ends like the last ones; a sentence says why."""

    def bury(self, identity: str, blamed: int) -> None:
        """This worker is dead; the request of this token (0: none) is to blame."""

    def done(self) -> int:
        """How many requests were done when it was last looked at."""


class Supervisor:
    """Keeps workers running. ``over`` fires when all have ended and none is to be started again.

    ``instructions`` is the line that all are sent. ``problems`` are sentences on
    why it gave up; ``statuses`` those with which workers ended for good. ``stopping``: nobody is started any more;
    ``begun``: there was one whose crawl was open.
    """

    def __init__(
        self,
        reactor: ReactorBase,
        names: Sequence[str],
        *,
        instructions: bytes,
        environment: Mapping[str, str],
        whose: Whose,
    ) -> None:
        self.over: Deferred[None] = Deferred()
        self.statuses: list[int] = []
        self.problems: list[str] = []
        self.stopping = self.begun = False
        self.children: dict[str, Child] = {}
        self._reactor = reactor
        self._names = list(names)
        self._instructions = instructions
        self._environment = environment
        self._whose = whose
        self._folder = TemporaryFolder("crawler-workers-")
        self._waiting: dict[str, DelayedCall] = {}
        self._quick = 0
        self._done_before = 0

    def __repr__(self) -> str:
        return f"<Supervisor of {len(self.children)} workers>"

    def start(self) -> None:
        """Start one worker, and the others once it is at work: what is wrong with the spider is then told once."""
        self._start(self._names.pop(0))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Let all workers here end: what is under way is finished; said again, at once; SIGKILL ends them."""
        self.leave()
        for child in list(self.children.values()):
            child.send(number)

    def leave(self) -> None:
        """Start nobody any more; those who run end by themselves."""
        self.stopping = True
        for call in self._waiting.values():
            call.cancel()
        self._waiting.clear()
        self._end_if_idle()

    # What is heard of the workers

    def said(self, name: str, line: str) -> None:
        """A worker wrote to stderr."""
        self._whose.said(name, line)

    def opened(self, child: Child) -> None:
        """A worker's crawl is open."""
        logger.debug("Worker %s is at work (process %d)", child.name, child.pid)
        self.begun = True
        names, self._names = self._names, []
        for name in names if not self.stopping else ():
            self._start(name)

    def ended(self, child: Child, status: int) -> None:
        """A worker is dead."""
        if self.children.pop(child.name, None) is not child:
            return
        blamed = child.blamed()
        child.blame.unlink(missing_ok=True)
        died = status < 0 or status == os.EX_TEMPFAIL
        if died:
            self._whose.bury(child.identity, blamed)
        if self.stopping or not died:
            self.statuses.append(status)
        if died and not self.stopping:
            self._again(child, status, blamed)
        elif not self.stopping and status not in (0, STOPPED_BY_HAND):
            self._give_up(f"worker {child.name} ended with status {status}; its last lines say why")
        self._end_if_idle()

    def _again(self, child: Child, status: int, blamed: int) -> None:
        why = (
            f"was killed by {_signal(status)}"
            if status < 0
            else "ended: too late for its lease, or above its limit of memory"
        )
        done, before = self._whose.done(), self._done_before
        self._done_before = done
        at_once = self._reactor.seconds() - child.began < QUICK_SECONDS
        # A request whose callback kills its worker is given up by its own count, after five.
        self._quick = self._quick + 1 if at_once and done <= before and blamed <= 0 else 0
        if self._quick >= MOST_DEATHS * (1 + len(self.children.keys() - {child.name}) + len(self._waiting)):
            self._give_up(
                f"{self._quick} workers in a row died within {QUICK_SECONDS:.0f} seconds of their start, and nothing "
                f"was done meanwhile; the last, {child.name}, {why}"
            )
            return
        pause = min(0.125 * 2**self._quick, LONGEST_PAUSE) if self._quick else 0.0
        logger.warning("Worker %s %s; another one takes its place", child.name, why)
        self._waiting[child.name] = self._reactor.callLater(pause, self._start, child.name)

    def _start(self, name: str) -> None:
        self._waiting.pop(name, None)
        identity = secrets.token_hex(16)
        child = Child(self._reactor, name, identity, self._folder.path / identity, hearing=self)
        try:
            child.start(self._whose.command(child), self._environment, self._instructions)
        except OSError as error:
            self._give_up(f"worker {name} cannot be started: {error}")
            self._end_if_idle()
            return
        self.children[name] = child

    def _give_up(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)
            logger.error("%s", problem)
        self._whose.gave_up(problem)

    def _end_if_idle(self) -> None:
        if not self.children and not self._waiting and not self.over.called:
            self._folder.end()
            self.over.callback(None)


def _signal(status: int) -> str:
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
