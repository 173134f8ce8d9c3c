"""What does a line that is typed in a console do, whichever way it came?"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.console.python import PythonPrompt
from crawler.engine.user_code.tasks import Drive
from crawler.errors import SteeringError
from crawler.model.masking import escape, masked
from crawler.observe.board.shown import HostRow
from crawler.observe.board.source import Source
from crawler.steering.control import Control
from crawler.steering.words import Words, line_of_help

logger = logging.getLogger(__name__)

MOST_LINES = 100
"""So many lines may wait while one is being done."""
MOST_UNREAD_BYTES = 4_000_000
"""So much may be told to who does not read it."""

OWN_WORDS = {
    "python [CODE]": "a prompt of Python in the crawl, or one line of it; exit() or Ctrl-D leaves it",
    "exit": "leave the console, as Ctrl-D does; the crawl goes on",
}


class Hosts(Mapping[str, HostRow]):
    """The hosts of a crawl by name, as a prompt of Python has them."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __repr__(self) -> str:
        return f"<{len(self):,} hosts by name>"

    def __getitem__(self, name: str) -> HostRow:
        row = self._source.host(name)
        if row is None:
            raise KeyError(name)
        return row

    def __iter__(self) -> Iterator[str]:
        page, pages = 1, 1
        while page <= pages:
            found = self._source.hosts(page, "name", descending=False)
            yield from (row.name for row in found.rows)
            page, pages = page + 1, found.pages

    def __len__(self) -> int:
        return self._source.hosts().total


class InTheNameOf:
    """A Control that knows who asks."""

    def __init__(self, control: Control, who: str) -> None:
        self._control = control
        self._who = who

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._control, name)
        return method if name in ("explain", "live") else partial(method, who=self._who)

    def __dir__(self) -> list[str]:
        return [name for name in dir(Control) if not name.startswith("_")]


class Screen(Protocol):
    """Where somebody sits: a program at a socket, or a terminal."""

    def say(self, line: str, *, wrong: bool = False) -> None:
        """Show a line; ``wrong``: it says why something was not done."""

    def ready(self, *, well: bool) -> None:
        """Show the session's prompt, unless the session has ended; ``well``: what was typed has been done."""

    def holding(self) -> AbstractContextManager[None]:
        """Return what is around code that holds the reactor: where it can, Ctrl-C ends that by KeyboardInterrupt."""


class Session:
    """One console of one person. ``who`` they are; ``screen`` is to be there before the first line is taken.

    ``names`` are what their Python knows of the crawl beside what the words act on; None where there is none of it, as
    where others do the crawling.
    """

    screen: Screen

    def __init__(
        self, source: Source, control: Control, *, who: str, names: Mapping[str, Any] | None, drive: Drive
    ) -> None:
        self.who = who
        self.ended = False
        self._words = Words(source, control)
        self._typed: deque[str] = deque()
        self._busy = False
        self._python: PythonPrompt | None = None
        if names is not None:
            known = {"hosts": Hosts(source), "control": InTheNameOf(control, who), "crawl": source, **names}
            self._python = PythonPrompt(
                known, drive, lambda line: self.screen.say(escape(line)), lambda: self.screen.holding()
            )
        self._in_python = False

    @property
    def prompt(self) -> str:
        """What stands before the next line."""
        if self._python is None or not self._in_python:
            return "crawler> "
        return "... " if self._python.is_within else ">>> "

    @property
    def waiting(self) -> int:
        """How many lines wait for the one that is being done."""
        return len(self._typed)

    @property
    def is_idle(self) -> bool:
        """Whether all that was typed is done."""
        return not (self._busy or self._typed)

    def take(self, line: str) -> None:
        """Do what a line says, after those before; the screen is told when that is done."""
        self._typed.append(line)
        self._next()

    def leave(self) -> None:
        """Leave the prompt of Python, or else the console; the screen is told."""
        if self._in_python:
            self._in_python = False
        else:
            self.ended = True
        self.interrupt()

    def interrupt(self) -> None:
        """Forget what was typed and not done, and wait no longer for what runs; the screen is told."""
        was_busy = self._busy
        self._typed.clear()
        if self._python is not None:
            self._python.interrupt()
        if not was_busy:
            self.screen.ready(well=True)

    def complete(self, line: str) -> tuple[int, list[str]]:
        """Return where the last part of a line begins, up to the cursor, and what it may be completed to."""
        if self._in_python and self._python is not None:
            return self._python.complete(line)
        found = self._words.completions(line)
        if " " not in line:
            found = sorted([*found, *(name.split()[0] for name in OWN_WORDS if name.startswith(line))])
        return line.rfind(" ") + 1, found

    def _next(self) -> None:
        if self._typed and not self._busy and not self.ended:
            self._busy = True
            Deferred.fromCoroutine(self._do(self._typed.popleft())).addCallbacks(self._done, self._failed)

    def _done(self, well: bool) -> None:
        self._busy = False
        self.screen.ready(well=well)
        self._next()

    def _failed(self, failure: Failure) -> None:
        logger.error("Console: a line of %s failed", self.who, exc_info=failure.value)
        self._say(f"this is an error of crawler's own, please report it: {failure.value!r}", wrong=True)
        self._done(False)

    async def _do(self, line: str) -> bool:
        if self._in_python and self._python is not None:
            return await self._run(self._python, line)
        word, _, rest = line.strip().partition(" ")
        if word in ("python", ">>>"):
            return await self._to_python(rest)
        if word in ("exit", "quit"):
            self.ended = True
            return True
        try:
            said = await self._words.do(line, who=self.who)
        except SteeringError as error:
            self._say(str(error), wrong=True)
            return False
        own = [line_of_help(name, does) for name, does in OWN_WORDS.items()] if word == "help" else []
        for each in (*said, *own):
            self._say(each)
        return True

    async def _to_python(self, code: str) -> bool:
        if self._python is None:
            self._say("there is no Python here: the crawl runs in other processes, its workers", wrong=True)
            return False
        if code.strip():
            went_well = await self._run(self._python, f"{code}\n")
            if self._python.is_within:
                self._python.forget()
                self._say("that line is not all of it: `python` alone is a prompt for several lines", wrong=True)
                return False
            return went_well
        self._in_python = True
        return True

    async def _run(self, python: PythonPrompt, line: str) -> bool:
        try:
            return await python.take(line)
        except SystemExit:
            self._in_python = False
            return True

    def _say(self, text: str, *, wrong: bool = False) -> None:
        for line in text.split("\n"):
            self.screen.say(escape(masked(line)), wrong=wrong)
