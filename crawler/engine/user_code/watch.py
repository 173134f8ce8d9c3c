"""Does a step of the user's code hold the reactor for too long?

A thread asks the reactor for a sign, again and again. While none comes it looks at the stack: if the same
call of the user's is in it at two looks, that call is what holds everything, whatever it is (a callback, a
coroutine after any await, a stage, filter, subscriber or hook). It is logged while it still runs, so that an
endless loop is seen as well as a slow one, and steps that are quick pay nothing. Of a prompt nothing is logged.

Code in C that keeps Python's lock (a regular expression that backtracks without end) lets no thread look. The
interpreter's own alarm, which needs no lock, then writes the stack to stderr; the line follows when the lock is free.
"""

from __future__ import annotations

import faulthandler
import logging
import sys
import threading
import time
from collections import deque
from types import FrameType

from crawler.config.schema import CoreSettings
from crawler.engine.machine import Machine
from crawler.engine.user_code.held import HeldStep, Named
from crawler.events import Events, StepHeld
from crawler.frames import at_prompt
from crawler.summary import SlowStep

logger = logging.getLogger(__name__)

LOCKED_SECONDS = 1.0
"""So long no thread could look: the interpreter's alarm writes the stack."""

_ALARMS = 0.5
"""The alarm is put off so often, in seconds: each time is a thread of C."""

SLOWEST = 10
_MOST_KINDS = 1000


class HoldWatch:
    """Logs each step that lasts longer than HOLD_WARNING_SECONDS, once, with where it is; 0 watches nothing.

    When it has ended it is told as a StepHeld, in the reactor's thread. Without a reactor there is nothing to watch.
    """

    def __init__(self, core: CoreSettings, machine: Machine, events: Events) -> None:
        self._limit = core.HOLD_WARNING_SECONDS if machine.reactor is not None else 0.0
        self._reactor = machine.reactor
        self._named = Named(core)
        self._events = events
        self._turned = True
        self._thread_id = 0
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._seen: deque[_Seen] = deque()
        self._kinds: dict[str, SlowStep] = {}

    def open(self) -> None:
        """Start to watch the calling thread, which is the reactor's."""
        if self._limit > 0:
            self._thread_id = threading.get_ident()
            self._thread = threading.Thread(target=self._look, name="hold watch", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Watch no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(LOCKED_SECONDS)  # it puts the alarm off, which would go off at the interpreter's end
        self._tell()

    def slowest(self) -> list[SlowStep]:
        """Return the steps that held the reactor longest, the longest first, each function once."""
        return sorted(self._kinds.values(), key=lambda each: -each.seconds)[:SLOWEST]

    def _turn(self) -> None:
        self._turned = True
        if self._seen:
            self._tell()

    def _tell(self) -> None:
        while self._seen:
            seen = self._seen.popleft()
            what, where = seen.step.what, seen.step.where
            seconds = (seen.ended or time.monotonic()) - seen.since
            slow = self._kinds.get(what) or SlowStep(what=what, where=where)
            if seconds > slow.seconds:
                slow.where, slow.seconds = where, seconds
            slow.count += 1
            if len(self._kinds) < _MOST_KINDS:
                self._kinds[what] = slow
            self._events.publish(StepHeld(what, where, seconds, seen.step.stack))

    def _look(self) -> None:
        since = looked = time.monotonic()
        used = self._used()
        step: FrameType | None = None
        seen: _Seen | None = None
        alarm = _Alarm()
        while alarm.put_off() and not self._stop.wait(self._limit / 2):
            frame = sys._current_frames().get(self._thread_id)  # first of all: it soon has the lock again
            last, looked = looked, time.monotonic()
            used_before, used = used, self._used()
            # Nobody could look, and the reactor's thread was at work: it has kept Python's lock.
            locked = looked - last >= 2 * self._limit and used - used_before >= self._limit
            if self._turned:
                since, step, seen = last if locked else looked, None, None
                if not self._ask():
                    break
                if not locked:
                    continue
            if at_prompt(frame):  # in a debugger for example: a person takes as long as it takes
                since, step, seen = looked, None, None
                continue
            stack = _stack_of(frame)
            at = self._named.place(stack)
            before, step = step, stack[at] if at is not None else None
            if step is None or step is not before:
                if seen is not None:
                    seen.ended = looked
                since, seen = since if before is None else looked, None
            if at is not None and seen is None and looked - since >= self._limit and (step is before or locked):
                seen = self._report(_Seen(self._named.step(stack, at), since))
        alarm.end()

    def _ask(self) -> bool:
        """Ask the reactor for a sign; False if its loop has been closed."""
        self._turned = False
        assert self._reactor is not None
        try:
            self._reactor.callFromThread(self._turn)
        except RuntimeError:  # whoever ran it waits for nothing of the crawl
            return False
        return True

    def _used(self) -> float:
        """Return the processor's seconds of the reactor's thread; 0 where the system does not tell."""
        if not hasattr(time, "pthread_getcpuclockid"):
            return 0.0
        return time.clock_gettime(time.pthread_getcpuclockid(self._thread_id))

    def _report(self, seen: _Seen) -> _Seen:
        self._seen.append(seen)
        if self._turned:  # meanwhile
            seen.ended = time.monotonic()
        logger.warning(
            "%s has held the reactor for %.0f ms; nothing else moves meanwhile",
            seen.step.what,
            (time.monotonic() - seen.since) * 1000,
            extra={"trace": list(seen.step.stack)},
        )
        return seen


class _Seen:
    """A step that was logged; ``ended`` is 0 while it lasts."""

    __slots__ = ("ended", "since", "step")

    def __init__(self, step: HeldStep, since: float) -> None:
        self.step = step
        self.since = since
        self.ended = 0.0


class _Alarm:
    """The interpreter's alarm, which goes off where it is not put off."""

    def __init__(self) -> None:
        self._next = 0.0

    def put_off(self) -> bool:
        """Begin anew, unless that was just now; return True."""
        now = time.monotonic()
        if now >= self._next and sys.__stderr__ is not None and logger.isEnabledFor(logging.WARNING):
            self._next = now + _ALARMS
            try:
                faulthandler.dump_traceback_later(LOCKED_SECONDS, file=sys.__stderr__)
            except (ValueError, OSError, RuntimeError):  # a stderr without a file
                self._next = float("inf")
        return True

    def end(self) -> None:
        """Do not go off."""
        if self._next:
            faulthandler.cancel_dump_traceback_later()


def _stack_of(frame: FrameType | None) -> list[FrameType]:
    """Return the frames, outermost first."""
    stack: list[FrameType] = []
    while frame is not None:
        stack.append(frame)
        frame = frame.f_back
    return stack[::-1]
