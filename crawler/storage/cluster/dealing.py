"""When are a worker's calls made, and who hears of the answers?

What the engine asks for gathers here, on the reactor, while the last call is under way; then it goes as one numbered
call, together with what the listener (who owns what this worker holds) has to tell. The answers come back in order:
those that were asked for first, then the listener is told what has changed.

The next call is made at once if something waits for it; soon if the listener has something to tell; every 50 to 250 ms
while this worker has nothing to do and was given nothing; else once a second, which is what the lease needs.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from crawler.frontier.store import Grant, Listener, Report
from crawler.storage.cluster import wire
from crawler.storage.cluster.calls import Calls
from crawler.storage.cluster.reply import Reply
from crawler.storage.cluster.turns import Turns
from crawler.storage.cluster.waiting import Line, Waiting

if TYPE_CHECKING:
    from twisted.internet.base import DelayedCall, ReactorBase

logger = logging.getLogger(__name__)

SOON = 0.01
"""Seconds in which things to tell gather before a call is made for them alone."""

HUNGRY = (0.05, 0.25)
"""Seconds between the calls of a worker with nothing to do: the first, and the longest."""

FULL_SECONDS = 1.0
"""Seconds after which a server without memory is asked again."""

IDLE = "idle"
"""In the place of the reason of an end: there is none yet, for start() has not ended."""

BACKLOG_BYTES = 64 * 2**20
"""Items that wait to be written to the feeds, in bytes, beyond which callbacks wait."""


class Rows(Protocol):
    """Who has the rows of this worker, and reads and writes what is kept."""

    def returned(self, report: Report, turn: wire.Turn) -> None:
        """Enter what goes back, and what is known of hosts that are given up."""

    def read(self, facts: Sequence[tuple[str, bytes | None]]) -> dict[str, Any]:
        """Read facts."""


class Dealings:
    """All that a worker and its job's server say to each other, once it has joined. ``listener`` is set before."""

    listener: Listener

    def __init__(self, calls: Calls, own: Rows, *, reactor: ReactorBase, lease: float) -> None:
        self._calls = calls
        self._own = own
        self._reactor = reactor
        self._lease = lease
        self._line = Line()
        self._turns: Turns[wire.Turn, Reply] = Turns(
            reactor, calls, self, name=f"turns of {calls.identity}", lease=lease
        )
        # Asked before each request.
        self.may_send = self._turns.may_send
        self.join = self._turns.start
        self._busy = True
        self._timer: DelayedCall | None = None
        self._watching: DelayedCall | None = None
        self._pause = HUNGRY[0]
        self._hungry = self._looked = self._fenced = self._full = False
        self._stop = ""
        self._error: BaseException | None = None
        self._left: Deferred[None] | None = None

    def __repr__(self) -> str:
        return f"<Dealings of {self._calls!r}, {len(self._line)} wait>"

    @property
    def open(self) -> bool:
        """Whether calls are made."""
        return self._turns.open

    def begin(self) -> None:
        """The worker has joined."""
        self._busy = False
        self._watch()
        self._within(SOON)

    def ask(self, *waiting: Waiting) -> list[Deferred[Any]]:
        """Tell these with the next calls; return their answers. They fail when nothing more can be told."""
        if self._error is not None:
            return [fail(self._error) for _ in waiting]
        for each in waiting:
            self._line.add(each)
        self._go()
        return [each.answered for each in waiting]

    def stop(self, reason: str) -> None:
        """Let all workers stop."""
        self._stop = reason
        self._within(0.0)

    def leave(self) -> Deferred[None]:
        """Make a last call; what this worker still has goes back. A server that is away is waited for as long as a
        lease lasts: then it is over anyway."""
        if self._left is None:
            self._left = Deferred()
            patience = self._reactor.callLater(self._lease, self._leave)
            self._left.addBoth(self._shut, patience)
            self._go()
        waiting: Deferred[None] = Deferred()
        self._left.addCallback(lambda _: waiting.callback(None))
        return waiting

    def _leave(self) -> None:
        if self._left is not None and not self._left.called:
            self._left.callback(None)

    def _shut(self, _: object = None, patience: DelayedCall | None = None) -> None:
        for timer in (self._timer, self._watching, patience):
            if timer is not None and timer.active():
                timer.cancel()
        self._turns.stop()
        self._calls.close()

    def look(self) -> None:
        """Ask the listener soon what it has to tell."""
        self._looked = True
        self._within(self._pause if self._hungry else SOON)

    def _within(self, seconds: float) -> None:
        """Make a call within so many seconds. While one is under way this is thought of behind it."""
        if self._busy or not self._turns.open:
            return
        if self._timer is None:
            self._timer = self._reactor.callLater(seconds, self._due)
        elif self._timer.getTime() > self._reactor.seconds() + seconds:
            self._timer.reset(seconds)

    def _due(self) -> None:
        self._timer = None
        self._go()

    def _go(self) -> None:
        """Make a call, unless one is under way."""
        if self._busy or not self._turns.open:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._busy, self._looked = True, False
        turn = wire.Turn(stop=self._stop, leave=self._left is not None)
        self._stop = ""
        self._enter_report(turn)
        self._line.enter(turn)
        self._turns.carry_out(turn)

    def _enter_report(self, turn: wire.Turn) -> None:
        report = self.listener.report()
        turn.tells += [
            wire.Tell(host, _milliseconds(wait), shareable, concurrency, _milliseconds(delay))
            for host, wait, shareable, concurrency, delay in report.told
        ]
        self._own.returned(report, turn)
        turn.holds += report.held
        turn.wants += report.wanted
        turn.room = report.room
        turn.aside = report.aside

    def answered(self, turn: wire.Turn | None, reply: Reply) -> None:
        """A call has its answer; the turn is None for one that the thread made by itself."""
        try:
            if self._left is None and (facts := self._own.read(reply.facts)):
                self.listener.changed_facts(facts)  # first: rows that are taken with the same call are sent at once
            if turn is not None and reply.full:
                self._line.again()
            elif turn is not None:
                self._line.told(reply)
            if self._left is None:
                self._tell(reply)
        except BaseException as error:  # an error of ours, which must not leave the crawl waiting
            self._lose(Failure(error))
            return
        if turn is None:
            return
        self._busy = False
        if turn.leave:
            self._leave()
        else:
            self._think_of_next(turn, reply)

    def _think_of_next(self, turn: wire.Turn, reply: Reply) -> None:
        """Decide when the next call is made."""
        self._hungry = turn.room > 0 and not (reply.grants or reply.begin)
        if reply.full is not self._full:
            self._full = reply.full
            logger.warning(
                "The server of the job has no memory left: nothing is committed until it has. Raise its maxmemory, or "
                "wait until the feeds have taken what is kept for them"
                if self._full
                else "The server of the job has memory again"
            )
        if self._left is not None or (self._line and not self._full):
            self._go()
        elif self._full:
            self._within(FULL_SECONDS)
        elif self._hungry:
            self._pause = min(self._pause * 1.5, HUNGRY[1])
            self._within(self._pause)
        else:
            self._pause = HUNGRY[0]
            self._within(SOON if self._looked else self._turns.beat * 0.8)

    def _tell(self, reply: Reply) -> None:
        """Tell the listener what others have changed."""
        listener = self.listener
        if reply.grants:
            grants = [Grant(g.host, g.permits, g.wait / 1000, g.queued, g.first) for g in reply.grants]
            listener.granted(grants, {})
        for host, permits in reply.asks:
            listener.asked(host, permits)
        for stored in reply.stored:
            listener.stored(stored.host, stored.count, stored.first)
        if reply.begin is not None:
            listener.start(reply.begin.count, [int(digest) & (2**64 - 1) for digest in reply.begin.digests])
        if reply.hungry:
            listener.hungry(reply.hungry)
        listener.behind(reply.backlog > BACKLOG_BYTES)
        if reply.stopping:
            listener.stop(reply.stopping)
        if reply.over == IDLE:
            listener.idle()
        elif reply.over:
            listener.over(reply.over)

    def _watch(self) -> None:
        """See whether exchanges may stay open, in every fifteenth part of a lease."""
        self._watching = self._reactor.callLater(self._lease / 15, self._watch)
        fenced = not self._turns.may_stay_open()
        if fenced and not self._fenced:
            logger.warning("The server of the job has not answered for long: what is under way will be sent again")
            self.listener.fenced()
        self._fenced = fenced

    def failed(self, failure: Failure) -> None:
        """No more calls are made: this worker is late, or the server refuses it."""
        if self._left is None:
            self._lose(failure)
        else:
            self._leave()

    def _lose(self, failure: Failure) -> None:
        error = failure.value
        assert error is not None
        self._error = error
        self._shut()
        self._line.fail(failure)
        self.listener.lost(error)


def _milliseconds(seconds: float) -> int:
    """Round up, so that no host is asked earlier for it."""
    return max(ceil(seconds * 1000), 0)
