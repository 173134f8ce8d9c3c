"""Does a step of the user's code hold the reactor for too long?

A thread asks the reactor for a sign, again and again. While none comes it looks at the stack: if the same
call of the user's is in it at two looks, that call is what holds everything, whatever it is (a callback, a
coroutine after any await, a stage, filter, subscriber or hook). It is logged while it still runs, so that an
endless loop is seen as well as a slow one, and steps that are quick pay nothing. Of a prompt nothing is logged.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from types import FrameType

from crawler.engine.machine import Machine
from crawler.frames import at_prompt, is_loops, is_projects, is_users

logger = logging.getLogger(__name__)


class HoldWatch:
    """Logs each step that lasts longer than ``limit`` seconds, once, with where it is. 0 watches nothing.

    Without a reactor there is nothing to watch.
    """

    def __init__(self, limit: float, machine: Machine) -> None:
        self._limit = limit if machine.reactor is not None else 0.0
        self._reactor = machine.reactor
        self._turned = True
        self._thread_id = 0
        self._stop = threading.Event()

    def open(self) -> None:
        """Start to watch the calling thread, which is the reactor's."""
        if self._limit > 0:
            self._thread_id = threading.get_ident()
            threading.Thread(target=self._look, name="hold watch", daemon=True).start()

    def close(self) -> None:
        """Watch no more."""
        self._stop.set()

    def _turn(self) -> None:
        self._turned = True

    def _look(self) -> None:
        asked = since = 0.0
        step: FrameType | None = None
        told = False
        while not self._stop.wait(self._limit / 2):
            if self._turned:
                asked, step, told, self._turned = time.monotonic(), None, False, False
                assert self._reactor is not None
                try:
                    self._reactor.callFromThread(self._turn)
                except RuntimeError:  # the loop has been closed: whoever ran it waits for nothing of the crawl
                    return
                continue
            frame = sys._current_frames().get(self._thread_id)
            if at_prompt(frame):  # in a debugger for example: a person takes as long as it takes
                asked, step, told = time.monotonic(), None, False
                continue
            stack = _inside(frame)
            before, step = step, stack[0] if stack else None
            if step is None or step is not before:
                since, told = asked if before is None else time.monotonic(), False
            elif not told and time.monotonic() - since >= self._limit:
                told = True
                _report(stack, time.monotonic() - since)


def _inside(frame: FrameType | None) -> list[FrameType]:
    """Return the frames from the outermost of the user's on, outermost first; none if none is the user's.

    What is outside the loop (the command line, a script) has called the crawler; it holds nothing.
    """
    stack: list[FrameType] = []
    while frame is not None:
        stack.insert(0, frame)
        frame = frame.f_back
    loop = next((at for at, each in enumerate(stack) if is_loops(each.f_code.co_filename)), 0)
    first = next((at for at in range(loop, len(stack)) if is_projects(stack[at].f_code.co_filename)), len(stack))
    return stack[first:]


def _report(stack: list[FrameType], seconds: float) -> None:
    users = [each for each in stack if is_users(each.f_code.co_filename)]
    entries = traceback.StackSummary.extract((each, each.f_lineno) for each in users)
    logger.warning(
        "A step of the spider's code has held the reactor for %.0f ms; nothing else moves meanwhile",
        seconds * 1000,
        extra={"trace": [f"{each.filename}:{each.lineno} in {each.name}: {each.line}" for each in entries]},
    )
