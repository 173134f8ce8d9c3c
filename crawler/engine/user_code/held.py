"""Which step of the user's code is it, by the stack that it is in?

The caller tells it, where one of ours has called it; where the loop has, because it waited meanwhile, its object does:
the spider, or one of the classes and functions that the settings name.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from types import CodeType, FrameType
from typing import Any, NamedTuple

from twisted.python.failure import Failure

from crawler.config.importing import near
from crawler.config.schema import CoreSettings
from crawler.frames import in_package, is_loops, is_projects, is_standard, is_users
from crawler.model.masking import masked
from crawler.spider import Spider

_CALLERS = (
    ("events.py", "subscriber"),
    ("console/python.py", "console"),
    ("scrapy/signalmanager.py", "subscriber"),
    ("engine/deciding/acceptance.py", "filter"),
    ("download/middleware/chain.py", "middleware"),
    ("engine/items/", "stage"),
    ("feeds/", "feed"),
    ("download/", "downloader"),
    ("engine/user_code/callbacks.py", ""),
    ("engine/user_code/patience.py", ""),
    ("engine/user_code/tasks.py", ""),
)
"""Modules of ours that call code of the user's, and what it is then; "" where that is told by the code alone."""

_CALLS_LIBRARIES = frozenset({"subscriber", "filter", "middleware", "stage", ""})
"""Whoever of these calls an installed package calls a part of the crawl; feeds and downloaders use some themselves."""

_LOOPS_CALLS = ("asyncio/events.py", "internet/base.py", "internet/task.py", "internet/defer.py")
"""Modules of the loop that call whoever asked for it: timers, tasks and callbacks of Deferreds."""

_METHODS = {
    "stage": ("process_item", "process_batch", "open_spider", "close_spider"),
    "middleware": ("process_request", "process_response", "process_exception"),
    "spider middleware": ("process_start", "process_start_requests", "process_spider_input",
                          "process_spider_output", "process_spider_output_async", "process_spider_exception"),
}  # fmt: skip
"""What has methods of these names."""
_BY_METHOD = {name: kind for kind, names in _METHODS.items() for name in names}

_SPIDERS_OWN = frozenset({"start", "start_requests", "closed", "opened"})


class HeldStep(NamedTuple):
    """A step as it was seen: ``frame`` is its outermost; the rest as in StepHeld."""

    frame: FrameType
    what: str
    where: str
    stack: tuple[str, ...]


class Named:
    """Knows what the settings name: by class, or by code."""

    def __init__(self, core: CoreSettings) -> None:
        self._kinds: dict[type | CodeType, str] = {}
        several: dict[str, Iterable[Any]] = {
            "stage": core.PIPELINES,
            "middleware": core.MIDDLEWARES,
            "filter": core.REQUEST_FILTERS,
            "extension": core.EXTENSIONS,
            "downloader": [core.DOWNLOADER, *core.SCHEMES.values()],
            "feed": [*core.FEED_FORMATS.values(), *core.FEED_STORAGES.values()],
            "function": [core.FINGERPRINT, core.SLOT_KEY, core.ITEM_KEY],
        }
        for kind, parts in several.items():
            for part in parts:
                if not isinstance(part, str | list | None):
                    self._kinds[getattr(part, "__code__", part if isinstance(part, type) else type(part))] = kind

    def place(self, stack: list[FrameType]) -> int | None:
        """Return where in a stack, outermost first, the step begins; None if nothing of the user's is in it.

        What is outside the loop (the command line, a script) has called the crawler; it holds nothing. A middleware
        that has called the next one, or a callback that has published an event, is not what holds.
        """
        loop = next((at for at, each in enumerate(stack) if is_loops(each.f_code.co_filename)), 0)
        places = [at for at in range(loop, len(stack)) if self._is_users(stack, at)]
        called = [at for at in places if at and _called_by(stack[at - 1])]
        if called:
            return called[-1]
        return places[0] if places else None

    def step(self, stack: list[FrameType], at: int) -> HeldStep:
        """Return the step whose outermost frame is at that place of the stack."""
        frame, users = stack[at], [each for each in stack[at:] if is_users(each.f_code.co_filename)]
        own = [each for each in users if is_projects(each.f_code.co_filename)] or users
        lines = traceback.StackSummary.extract((each, each.f_lineno) for each in users)
        return HeldStep(
            frame,
            self._what(stack, at),
            f"{near(own[-1].f_code.co_filename)}:{own[-1].f_lineno}",
            tuple(masked(f"{near(each.filename)}:{each.lineno} in {each.name}: {each.line}") for each in lines),
        )

    def _is_users(self, stack: list[FrameType], at: int) -> bool:
        filename = stack[at].f_code.co_filename
        if is_projects(filename):
            return True
        if not at or not is_users(filename) or is_standard(filename):
            return False
        # A package that is installed: a part of the crawl, or what one of ours works with?
        caller = stack[at - 1].f_code.co_filename
        kind = _called_by(stack[at - 1])
        return (kind in _CALLS_LIBRARIES) if kind is not None else caller.replace("\\", "/").endswith(_LOOPS_CALLS)

    def _what(self, stack: list[FrameType], at: int) -> str:
        frame = stack[at]
        code = frame.f_code
        callers = [kind for each in reversed(stack[:at]) if (kind := _called_by(each)) is not None]
        if callers and callers[0]:
            return f"{callers[0]} {_name(frame)}"
        owner = _owner(frame)
        if isinstance(owner, Spider):
            if code.co_name in _SPIDERS_OWN:
                return f"{code.co_name}() of {type(owner).__name__}"
            given = frame.f_locals.get(code.co_varnames[1]) if code.co_argcount > 1 else None
            return f"{'errback' if isinstance(given, Failure) else 'callback'} {_name(frame)}"
        kind = self._kinds.get(code) or self._kinds.get(type(owner)) or _BY_METHOD.get(code.co_name)
        return f"{kind or ('callback' if callers else 'timer or task')} {_name(frame)}"


def _called_by(frame: FrameType) -> str | None:
    module = in_package(frame.f_code.co_filename)
    return next((kind for path, kind in _CALLERS if module.startswith(path)), None) if module is not None else None


def _owner(frame: FrameType) -> object:
    code = frame.f_code
    if code.co_argcount and code.co_varnames[0] in ("self", "cls"):
        return frame.f_locals.get(code.co_varnames[0])
    return None


def _name(frame: FrameType) -> str:
    owner = _owner(frame)
    if owner is None:
        return frame.f_code.co_qualname.replace(".<locals>", "")
    return f"{owner.__name__ if isinstance(owner, type) else type(owner).__name__}.{frame.f_code.co_name}"
