"""When are a worker's calls to the server made, and until when may it believe that it is alive there?

One call, a *turn*, is under way at a time, and each has the next number: a server that has executed a call whose answer
was lost gives the same answer to the same number. A turn is made ready on the reactor and carried out here, in a thread
with a socket of its own: a callback of twenty seconds must not cost the worker its name. So where nothing is handed
over for a while, the thread makes an empty turn, which renews the lease.

Two things end that. A reactor that has not turned for ten minutes hangs: nothing is renewed any more, and others do its
work. And a call that is not answered renews nothing: what counts is when the last *answered* one was sent, by
CLOCK_BOOTTIME, which goes on while the machine sleeps and while the process is stopped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase

Turn = TypeVar("Turn")
Reply = TypeVar("Reply")
Joined = TypeVar("Joined")
Reply_co = TypeVar("Reply_co", covariant=True)
Turn_contra = TypeVar("Turn_contra", contravariant=True)
Reply_contra = TypeVar("Reply_contra", contravariant=True)

SEND_UNTIL = 11 / 15
"""The part of a lease in which requests are sent: 4 of 15 s before its end none is begun any more."""

OPEN_UNTIL = 12 / 15
"""The part of a lease in which exchanges stay open."""

HANGS_AFTER = 600.0
"""Seconds without a turn of the reactor after which the lease is let go."""


def boottime() -> float:
    """Return seconds since the machine was started, sleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Calling(Protocol[Turn, Reply_co]):
    """Who makes the calls. Both are called in the thread."""

    def turn(self, number: int, turn: Turn) -> Reply_co:
        """Return when the turn is carried out, whatever becomes of the connection meanwhile; raises LateWorker or
        StoreError when there is no use in going on."""

    def empty(self) -> Turn:
        """Return a turn that only renews."""


class Hearing(Protocol[Turn_contra, Reply_contra]):
    """Who hears of the answers, on the reactor, in order."""

    def answered(self, turn: Turn_contra | None, reply: Reply_contra) -> None:
        """The turn is None for an empty one of the thread."""

    def failed(self, failure: Failure) -> None:
        """No more calls are made."""


class Turns(Generic[Turn, Reply]):
    """The thread that makes a worker's numbered calls."""

    def __init__(
        self,
        reactor: ReactorBase,
        calls: Calling[Turn, Reply],
        hearing: Hearing[Turn, Reply],
        *,
        name: str,
        lease: float,
        clock: Callable[[], float] = boottime,
    ) -> None:
        self._reactor = reactor
        self._calls = calls
        self._hearing = hearing
        self._clock = clock
        self._lease = lease
        self.beat = min(1.0, lease / 6)
        self._handed: SimpleQueue[Turn | None] = SimpleQueue()
        self._name = name
        # Set by the thread before its answer is on its way to the reactor: a float is assigned as a whole.
        self._renewed = self._turned = float("-inf")
        self.open = False

    def __repr__(self) -> str:
        return f"<Turns of {self._name}, {'open' if self.open else 'closed'}>"

    def start(self, join: Callable[[], Joined]) -> Deferred[Joined]:
        """Begin with the call that gives the worker its name; fires with what that answers, or fails as it does."""
        self._turned = self._clock()
        self.open = True
        joined: Deferred[Joined] = Deferred()
        threading.Thread(target=self._work, args=(join, joined), name=self._name, daemon=True).start()
        return joined

    def carry_out(self, turn: Turn) -> None:
        """Carry out a turn. Asked for on the reactor, which is thereby seen to turn."""
        self._turned = self._clock()
        self._handed.put(turn)

    def stop(self) -> None:
        """Make no more calls behind the one that is under way. It is not waited for: the server may be away."""
        if self.open:
            self.open = False
            self._handed.put(None)

    def may_send(self) -> bool:
        """Tell whether the lease lasts long enough for a request to be begun."""
        return self._clock() - self._renewed < self._lease * SEND_UNTIL

    def may_stay_open(self) -> bool:
        """Tell whether the lease lasts long enough for exchanges that are under way."""
        return self._clock() - self._renewed < self._lease * OPEN_UNTIL

    def _work(self, join: Callable[[], Joined], joined: Deferred[Joined]) -> None:
        sent = self._clock()
        try:
            result = join()
        except BaseException:
            self._reactor.callFromThread(self._not_joined, joined, Failure())
            return
        self._renewed = sent
        self._reactor.callFromThread(joined.callback, result)
        self._make_turns()

    def _make_turns(self) -> None:
        number = 0
        while self.open:
            turn = None
            try:
                turn = self._handed.get(timeout=self.beat)
                if turn is None:
                    return
            except Empty:
                if self._clock() - self._turned > HANGS_AFTER:
                    continue
            number += 1
            sent = self._clock()
            try:
                reply = self._calls.turn(number, self._calls.empty() if turn is None else turn)
            except BaseException:
                self._reactor.callFromThread(self._fail, Failure())
                return
            self._renewed = sent
            self._reactor.callFromThread(self._answer, turn, reply)

    def _answer(self, turn: Turn | None, reply: Reply) -> None:
        self._turned = self._clock()
        self._hearing.answered(turn, reply)

    def _not_joined(self, joined: Deferred[Joined], failure: Failure) -> None:
        self.open = False
        joined.errback(failure)

    def _fail(self, failure: Failure) -> None:
        self.open = False
        self._hearing.failed(failure)
