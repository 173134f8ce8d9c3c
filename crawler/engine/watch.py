"""Does a step of the user's code hold the reactor for too long?

A thread looks on and logs the stack while the step still runs, so that an endless loop is seen as
well as a slow one. The steps themselves pay two assignments.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import time
import traceback
from pathlib import Path

from crawler.engine.frames import is_users

_LOOP = str(Path(asyncio.__file__).parent) + os.sep

logger = logging.getLogger(__name__)


class HoldWatch:
    """Logs each step that lasts longer than ``limit`` seconds, once, with where it is. 0 watches nothing."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._step = 0
        self._since = 0.0
        self._thread_id = 0
        self._stop = threading.Event()

    def open(self) -> None:
        """Start to watch the calling thread."""
        if self._limit > 0:
            self._thread_id = threading.get_ident()
            threading.Thread(target=self._look, name="hold watch", daemon=True).start()

    def close(self) -> None:
        """Watch no more."""
        self._stop.set()

    def begin(self) -> None:
        """A step of the user's code begins."""
        self._step += 1
        self._since = time.monotonic()

    def end(self) -> None:
        """The step has ended."""
        self._since = 0.0

    def _look(self) -> None:
        reported = 0
        while not self._stop.wait(self._limit / 2):
            step, since = self._step, self._since
            if not since or step == reported or time.monotonic() - since < self._limit:
                continue
            frame = sys._current_frames().get(self._thread_id)
            stack = traceback.extract_stack(frame) if frame else []
            if step == self._step and self._since:
                reported = step
                self._report(stack, time.monotonic() - since)

    def _report(self, stack: traceback.StackSummary | list[traceback.FrameSummary], seconds: float) -> None:
        # What is outside the loop (the command line, a script) has called the crawler; it holds nothing.
        outside = max((at for at, entry in enumerate(stack, 1) if entry.filename.startswith(_LOOP)), default=0)
        users = [entry for entry in stack[outside:] if is_users(entry.filename)] or list(stack)[-3:]
        logger.warning(
            "A step of the spider's code has held the reactor for %.0f ms; nothing else moves meanwhile",
            seconds * 1000,
            extra={"trace": [f"{entry.filename}:{entry.lineno} in {entry.name}: {entry.line}" for entry in users]},
        )
