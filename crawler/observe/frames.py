"""Which lines of code does an error come from, and how is it said in one line?

The user wants the frames that can be mended: those of their own code, and where a library raised, the
frame that did. Frames of this program and of the loop beneath say nothing about their mistake.
"""

from __future__ import annotations

import inspect
import linecache
import traceback
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

from crawler.frames import is_projects, is_users
from crawler.model.masking import masked

TEXT_LIMIT = 1000
"""Most characters shown of an address or of what an error says."""
_SOURCE_LIMIT = 200
_FRAMES = 12
_CAUSES = 3


def shorten(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return the text without passwords, of a longer one than ``limit`` characters its beginning and its end."""
    text = masked(text)
    if len(text) <= limit:
        return text
    tail = limit // 3
    return f"{text[: limit - tail]}… {len(text) - limit:,} more characters …{text[-tail:]}"


def describe(error: BaseException) -> str:
    """Return ``Type: message``, the type alone for an error that says nothing."""
    try:
        said = str(error)
    except BaseException as broken:  # a __str__ of the user's
        said = f"its message cannot be shown ({type(broken).__name__})"
    name = type(error).__name__
    return f"{name}: {shorten(said)}" if said else name


def frames_of(error: BaseException, *, ours: bool = True) -> list[str]:
    """Return ``file:line in function: source`` of the frames a user can mend, then of the errors behind this one.

    If there are none: all frames, or with ``ours=False`` none.
    """
    shown = _shown(error, ours=ours)
    cause = _cause(error)
    for _ in range(_CAUSES):
        if cause is None:
            break
        shown += [f"from {describe(cause)}", *_shown(cause, ours=False)]
        cause = _cause(cause)
    return shown


def is_of_user(error: BaseException) -> bool:
    """Tell whether code of the user's own, that is not installed, had a part in the error."""
    frames = traceback.extract_tb(error.__traceback__)
    return any(is_projects(frame.filename) for frame in frames)


def defined_at(function: Callable[..., object] | None) -> list[str]:
    """Return where a function of the user's is defined, as one frame; nothing if that is not known."""
    code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
    if code is None or not is_users(code.co_filename):
        return []
    first = code.co_firstlineno  # of its decorators, if it has any
    lines = (linecache.getline(code.co_filename, number) for number in range(first, first + 9))
    head = next((line for line in lines if line.lstrip().startswith(("def ", "async def "))), "")
    return [f"{near(code.co_filename)}:{first} in {code.co_name}: {head.strip()}"]


def near(filename: str) -> str:
    """Return the file name relative to where the user is, if it lies below."""
    try:
        return str(Path(filename).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return filename


def _shown(error: BaseException, *, ours: bool) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)
    others = [frame for frame in frames if is_users(frame.filename)]
    own = [frame for frame in others if is_projects(frame.filename)]
    if own and others[-1] is not own[-1]:
        own.append(others[-1])
    # Code that is installed may be the user's, too, unless it is what has called this program.
    called = list(takewhile(lambda frame: is_users(frame.filename), reversed(frames)))[::-1]
    lines = [_line(frame) for frame in own or called or (frames if ours else ())]
    if len(lines) > _FRAMES:  # a recursion
        half = _FRAMES // 2
        lines[half:-half] = [f"… {len(lines) - _FRAMES:,} more …"]
    return lines


def _line(frame: traceback.FrameSummary) -> str:
    return f"{near(frame.filename)}:{frame.lineno} in {frame.name}: {shorten(frame.line or '', _SOURCE_LIMIT)}"


def _cause(error: BaseException) -> BaseException | None:
    """Return the error behind an error; one that was only being handled counts if the user's code raised it."""
    if error.__cause__ is not None or error.__suppress_context__ or error.__context__ is None:
        return error.__cause__
    return error.__context__ if is_of_user(error.__context__) else None
