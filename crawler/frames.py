"""Whose code is a frame in, by the name of its file?"""

from __future__ import annotations

import asyncio
import bdb
import code
import os
import sysconfig
from pathlib import Path
from types import FrameType

_OURS = tuple(str(Path(file).parent) + os.sep for file in (__file__, asyncio.__file__))
_INSTALLED = tuple(os.sep + folder + os.sep for folder in ("site-packages", "dist-packages"))
_TWISTED = tuple(f"{folder}twisted{os.sep}" for folder in _INSTALLED)
_PROMPTS = (bdb.__file__, code.__file__, f"{_OURS[0]}shell{os.sep}")
_IPYTHON = tuple(f"{folder}IPython{os.sep}" for folder in _INSTALLED)
_STANDARD = sysconfig.get_path("stdlib") + os.sep


def in_package(filename: str) -> str | None:
    """Return the path of a module of ours below the package: "engine/crawl.py"; None for one that is not."""
    return filename.removeprefix(_OURS[0]).replace(os.sep, "/") if filename.startswith(_OURS[0]) else None


def is_loops(filename: str) -> bool:
    """Tell whether a frame is in the loop beneath: Twisted or asyncio."""
    return filename.startswith(_OURS[1]) or any(folder in filename for folder in _TWISTED)


def is_users(filename: str) -> bool:
    """Tell whether a frame is in code that is neither ours nor that of the loop beneath."""
    return not filename.startswith((_OURS[0], "<")) and not is_loops(filename)


def is_projects(filename: str) -> bool:
    """Tell whether a frame is in the user's own code, that of no library."""
    installed = filename.startswith(_STANDARD) or any(folder in filename for folder in _INSTALLED)
    return not installed and is_users(filename)


def is_standard(filename: str) -> bool:
    """Tell whether a frame is in the standard library."""
    return filename.startswith(_STANDARD) and not any(folder in filename for folder in _INSTALLED)


def at_prompt(frame: FrameType | None) -> bool:
    """Tell whether a stack, by its innermost frame, waits for a person: a debugger, or a prompt of Python."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(_PROMPTS) or any(folder in name for folder in _IPYTHON):
            return True
        frame = frame.f_back
    return False
