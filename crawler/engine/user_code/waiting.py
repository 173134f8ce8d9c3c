"""Where does code of the user's wait, or work in a thread?"""

from __future__ import annotations

import asyncio
import linecache
import sys
import threading
from collections.abc import Iterator
from types import AsyncGeneratorType, FrameType
from typing import Any

from crawler.config.importing import near
from crawler.engine.user_code.held import Named
from crawler.engine.user_code.tasks import TRANSLATED
from crawler.frames import is_projects
from crawler.model.masking import masked


def suspended(named: Named) -> list[str]:
    """Return what each coroutine of the user's is, and the line where it waits."""
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:  # no loop of asyncio
        return []
    said = []
    for task in tasks:
        running: Any = task.get_coro()
        if getattr(running, "gi_code", None) is not TRANSLATED or running.gi_frame is None:
            continue
        frames = [each for each in _chain(running.gi_frame.f_locals["coroutine"]) if _is_own(each)]
        if frames:
            said.append(f"{named.step(frames, 0).what} waits at {_line(frames[-1])}")
    return said


def in_threads() -> list[str]:
    """Return where other threads are in code of the user's."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    said = []
    for ident, innermost in sys._current_frames().items():
        frame: FrameType | None = innermost
        while frame is not None and not _is_own(frame):
            frame = frame.f_back
        if frame is not None and ident != threading.get_ident():
            said.append(f"thread {names.get(ident, ident)} is at {_line(frame)}")
    return said


def _chain(awaited: Any) -> Iterator[FrameType]:
    """Yield the frames of a coroutine and of what it awaits, outermost first."""
    while awaited is not None:
        for kind, waits in (("cr", "cr_await"), ("gi", "gi_yieldfrom"), ("ag", "ag_await")):
            frame: FrameType | None = getattr(awaited, f"{kind}_frame", None)
            if frame is not None:
                yield frame
                awaited = _of_generator(frame, getattr(awaited, waits))
                break
        else:
            return


def _of_generator(frame: FrameType, awaited: Any) -> Any:
    """Return the asynchronous generator whose next result is awaited: what stands for that does not tell it."""
    if type(awaited).__name__ not in ("async_generator_asend", "async_generator_athrow"):
        return awaited
    values = frame.f_locals.values()
    return next((each for each in values if isinstance(each, AsyncGeneratorType) and each.ag_running), None)


def _is_own(frame: FrameType) -> bool:
    return is_projects(frame.f_code.co_filename)


def _line(frame: FrameType) -> str:
    code, line = frame.f_code, frame.f_lineno
    source = linecache.getline(code.co_filename, line).strip()
    return masked(f"{near(code.co_filename)}:{line} in {code.co_name}: {source}")
