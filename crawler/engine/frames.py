"""Which lines of the user's own code does an error come from?"""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any

from twisted.python.failure import Failure

from crawler.frames import is_users
from crawler.model.masking import masked


def error_of(failure: Failure) -> BaseException:
    """Return the exception of a Failure; one that has none says what it was."""
    return failure.value if failure.value is not None else RuntimeError(repr(failure))


def message_of(error: BaseException) -> str:
    """Return str(error); the name of its type where the user's own class raises instead of saying it."""
    try:
        return str(error)
    except BaseException:
        return type(error).__name__


def user_traceback(error: BaseException) -> str:
    """Return the traceback with the user's frames only; all frames if none is the user's."""
    said = traceback.TracebackException.from_exception(error)
    users = [frame for frame in said.stack if is_users(frame.filename)]
    if users:
        said.stack = traceback.StackSummary.from_list(users)
    return masked("".join(said.format()).rstrip())


def at_yield(error: BaseException, results: Iterator[Any] | AsyncIterator[Any] | None) -> BaseException:
    """Return the TypeError about what a generator yielded with the user's frames that yielded it as its traceback.

    Any other error, and one that has frames of the user's (a filter of theirs raised), keeps its own.
    """
    if type(error) is not TypeError or any(
        is_users(frame.filename) for frame in traceback.extract_tb(error.__traceback__)
    ):
        return error
    frames = []
    while results is not None:
        frame = getattr(results, "gi_frame", None) or getattr(results, "ag_frame", None)
        if frame is not None and is_users(frame.f_code.co_filename):
            frames.append(frame)
        results = getattr(results, "gi_yieldfrom", None)
    trace: TracebackType | None = None
    for frame in reversed(frames):
        trace = TracebackType(trace, frame, frame.f_lasti, frame.f_lineno)
    return error.with_traceback(trace) if trace is not None else error
