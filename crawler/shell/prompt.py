"""Which prompt does a person get: IPython's where it is installed, or Python's own?"""

from __future__ import annotations

import code
import os
import signal
import sys
import threading
from asyncio import get_running_loop
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

Run = Callable[[Coroutine[Any, Any, Any]], Any]
"""Runs a coroutine on the loop of the crawl, from another thread, and returns what it returns."""


def open_prompt(names: dict[str, Any], banner: str, *, run: Run | None = None) -> None:
    """Open a prompt that knows these names, and return when it is left. ``run`` is for what is awaited at it."""
    with _interrupts(), suppress(SystemExit):  # so does exit() leave Python's own
        if sys.stdin.isatty() and sys.stdout.isatty():
            try:
                import IPython  # noqa: F401
            except ImportError:
                _plain(names, banner)
            else:
                _ipython(names, banner, run)
        else:
            _plain(names, banner)


def nobody_types() -> bool:
    """Tell whether nothing can ever be typed, as in a worker of a crawl of many."""
    try:
        return sys.stdin is None or os.path.samestat(os.fstat(sys.stdin.fileno()), Path(os.devnull).stat())
    except (OSError, ValueError):  # it is closed, or stands for one
        return False


def evaluate(text: str, names: dict[str, Any]) -> None:
    """Run a line of code, and print what it comes to, if that is not None. Raises what it raises."""
    before, sys.displayhook = sys.displayhook, lambda value: None if value is None else print(value)
    try:
        _OneLine(names).runsource(text, "<-c>", "single")
    finally:
        sys.displayhook = before


class _OneLine(code.InteractiveInterpreter):
    """Raises errors instead of showing them."""

    def runsource(self, source: str, filename: str = "<input>", symbol: str = "single") -> bool:
        """Run a text that has to be whole."""
        if super().runsource(source, filename, symbol):
            raise SyntaxError(f"unfinished: {source}")
        return False

    def showtraceback(self) -> NoReturn:
        """Raise what the code raised."""
        raise

    def showsyntaxerror(self, filename: str | None = None, **_: Any) -> NoReturn:
        """Raise what is wrong with the code."""
        raise


def _plain(names: dict[str, Any], banner: str) -> None:
    with suppress(ImportError):  # not on every system
        import readline
        import rlcompleter

        readline.set_completer(rlcompleter.Completer(names).complete)
        readline.parse_and_bind("tab: complete")
    code.interact(banner, local=names, exitmsg="")


def _ipython(names: dict[str, Any], banner: str, run: Run | None) -> None:
    from IPython.terminal.embed import InteractiveShellEmbed
    from IPython.terminal.ipapp import load_default_config

    config = load_default_config()  # type: ignore[no-untyped-call]  # IPython's
    InteractiveShellEmbed.clear_instance()  # of an earlier prompt, whose names it has
    shell = InteractiveShellEmbed.instance(
        banner1=banner, user_ns=names, config=config, confirm_exit=False, enable_tip=False
    )
    shell.autoawait = run is not None
    if run is not None:
        shell.loop_runner = run
    with suppress(RuntimeError):  # no loop runs in this thread
        get_running_loop()
        if shell.pt_app is not None:
            in_thread = partial(shell.pt_app.prompt, in_thread=True)  # it has a loop of its own
            vars(shell.pt_app)["prompt"] = in_thread
    shell()


@contextmanager
def _interrupts() -> Iterator[None]:
    """Let Ctrl-C interrupt what is typed, and not the crawl."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
