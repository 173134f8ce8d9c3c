"""How does a prompt of Python work in the reactor's thread, while the crawl goes on?

What is typed runs between two events of the crawl. It is waited for where it waits: for `await`, and for a Deferred or
another awaitable that an expression gives. What it prints goes to whoever typed it, and what it raises is shown there.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import traceback
from codeop import CommandCompiler
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from inspect import CO_COROUTINE, isawaitable
from rlcompleter import Completer
from types import CodeType
from typing import Any

from twisted.internet.defer import Deferred

from crawler.engine.user_code.tasks import Drive

MOST_CHARACTERS = 500_000
"""So much is shown of what one command prints."""
_OF_A_LINE = 10
"""A line counts for so many more: each goes to the console by itself."""

_NAME = "console"  # as a file's, by which the watch over what holds the reactor names it
_last_name = re.compile(r"[\w.]*\Z")


class Printed(io.TextIOBase):
    """A stream whose lines are written as they end, and what is left by ``flush``."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._line = ""
        self._left = MOST_CHARACTERS

    def writable(self) -> bool:
        """Return True (io.IOBase)."""
        return True

    def write(self, text: str) -> int:
        """Take a text (io.TextIOBase)."""
        if self._left > 0:
            *lines, self._line = (self._line + text[: self._left]).split("\n", self._left // _OF_A_LINE)
            self._left -= len(text) + _OF_A_LINE * len(lines)
            for line in lines:
                self._write(line)
            if self._left <= 0:
                self._line = self._line.partition("\n")[0]
                self.flush()
                self._write(f"… cut: this printed more than {MOST_CHARACTERS:,} characters, or many lines")
        return len(text)

    def flush(self) -> None:
        """Write what has no end yet (io.IOBase)."""
        if self._line:
            self._write(self._line)
            self._line = ""

    def refresh(self) -> None:
        """Let the next command print as much as the last one might."""
        self.flush()
        self._left = MOST_CHARACTERS


class PythonPrompt:
    """A prompt that knows ``names``; ``drive`` runs its coroutines, ``write`` takes what it prints, line by line.

    Code that holds the reactor runs within ``holding()``, which may raise KeyboardInterrupt in it.
    """

    def __init__(
        self,
        names: dict[str, Any],
        drive: Drive,
        write: Callable[[str], None],
        holding: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._printed = Printed(write)
        self._holding = holding
        # A callback that prints may run later, when stdout is the crawl's again.
        self._names = {"__name__": "__console__", "__doc__": None, "print": partial(print, file=self._printed), **names}
        self._drive = drive
        self._compiler = CommandCompiler()
        self._compiler.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._lines: list[str] = []
        self._running: Deferred[None] | None = None
        self._interrupted = False
        self._awaited: list[Any] = []

    @property
    def is_within(self) -> bool:
        """Whether the next line goes on with what was typed."""
        return bool(self._lines)

    def forget(self) -> None:
        """Forget what was not typed to its end."""
        self._lines.clear()

    def interrupt(self) -> None:
        """Forget what was not typed to its end, and wait no longer for what runs."""
        self.forget()
        if self._running is not None:
            self._interrupted = True
            self._running.cancel()

    def complete(self, line: str) -> tuple[int, list[str]]:
        """Return where the last name of a line begins, and what it may be completed to."""
        found = _last_name.search(line)
        start = found.start() if found is not None else len(line)
        found_names: list[str] = []
        completer = Completer(self._names)
        while line[start:] and (name := completer.complete(line[start:], len(found_names))) is not None:
            found_names.append(name)
        return start, found_names

    async def take(self, line: str) -> bool:
        """Take a line, and run what it ends; return whether that went well. Raises SystemExit."""
        self._lines.append(line)
        self._interrupted = False
        try:
            code = self._compiler("\n".join(self._lines), _NAME, "single")
        except (OverflowError, SyntaxError, ValueError) as error:
            self._lines.clear()
            self._tell(error)
            return False
        if code is None:
            return True
        self._lines.clear()
        self._printed.refresh()
        try:
            self._running = self._drive(_Steps(partial(self._run, code), self._heard).run())
            await self._running
        except (SystemExit, GeneratorExit):
            raise
        except BaseException as error:  # whoever typed it shall see it, and the crawl shall not
            self._tell(error)
            return False
        finally:
            self._running = None
            self._printed.flush()
        return True

    async def _run(self, code: CodeType) -> None:
        self._awaited.clear()
        result = eval(code, self._names)  # noqa: S307  # whoever may type here may do all that the crawl may
        if code.co_flags & CO_COROUTINE:
            await result
        for value in self._awaited:
            self._show(await value)

    @contextmanager
    def _heard(self) -> Iterator[None]:
        before, sys.displayhook = sys.displayhook, self._display
        try:
            with redirect_stdout(self._printed), redirect_stderr(self._printed), self._holding():
                yield
        finally:
            sys.displayhook = before

    def _display(self, value: object) -> None:
        if isawaitable(value):
            self._awaited.append(value)
        else:
            self._show(value)

    def _show(self, value: object) -> None:
        if value is not None:
            self._printed.write(f"{value!r}\n")
            self._names["_"] = value

    def _tell(self, error: BaseException) -> None:
        frames = error.__traceback__
        while frames is not None and frames.tb_frame.f_code.co_filename != _NAME:
            frames = frames.tb_next
        text = "interrupted\n" if self._interrupted else ""
        self._printed.write(text or "".join(traceback.format_exception(type(error), error, frames)))
        self._printed.flush()


class _Steps:
    """A coroutine, each step of which is made within ``around()``."""

    def __init__(self, begin: Callable[[], Coroutine[Any, Any, None]], around: Callable[[], Any]) -> None:
        self._begin = begin
        self._around = around

    async def run(self) -> None:
        await self

    def __await__(self) -> Generator[Any, Any, None]:
        coroutine = self._begin()
        send: Callable[[], Any] = partial(coroutine.send, None)
        while True:
            with self._around():
                try:
                    waited_for = send()
                except StopIteration:
                    return
            try:
                send = partial(coroutine.send, (yield waited_for))
            except BaseException as thrown:  # whatever it is, it belongs to the coroutine
                send = partial(coroutine.throw, thrown)
