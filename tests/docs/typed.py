"""Does a page of the documents do what it says, when somebody types it from top to bottom?

A block whose first line names a file (``# spiders/books.py``) is written to it; of a block of ``console`` each
``$ command`` is run in one bash that goes on to the end of the page, and what it says has to be what the page
shows below it. There ``…`` stands for any characters, and a line of ``…`` for any lines; a command with nothing
below it may say anything. A command whose exit status is not 0 fails: ``|| echo "exit status $?"`` shows one.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.commands.conftest import environment
from tests.docs.blocks import ROOT, Block, blocks

_END = "@@ended"
_LONGEST = 120.0
"""Seconds after which a command, and its shell with it, is ended."""


class Said(NamedTuple):
    """A command as the page shows it, what it has to say (None: anything), and what it said."""

    command: str
    expected: str | None
    output: str


def commands(block: Block) -> Iterator[tuple[str, str | None]]:
    """Yield the commands of a block and what is shown below each; a command goes on behind a backslash."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        found = re.match(r"(?:.*\\\n)*.*\n", part)
        assert found is not None
        yield found[0].rstrip("\n"), part[found.end() :] or None


def is_typed(page: Path) -> bool:
    """Tell whether a page has anything to type."""
    return any(block.language == "console" for block in blocks(page))


def matches(expected: str, output: str) -> bool:
    """Tell whether a command said what the page shows; spaces at the end of a line do not count."""
    pattern = "".join(
        "(?:.*\n)*" if line == "…" else ".*".join(map(re.escape, line.rstrip().split("…"))) + "\n"
        for line in expected.strip().splitlines()
    )
    shown = "".join(f"{line.rstrip()}\n" for line in output.strip().splitlines())
    return re.fullmatch(pattern, shown) is not None


class Terminal:
    """One bash in a folder; what it starts ends with it."""

    def __init__(self, folder: Path, given: Mapping[str, str]) -> None:
        self.folder = folder
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._bash = subprocess.Popen(
            ["bash", "--norc"],
            cwd=folder,
            env=environment() | {"PATH": path, "COLUMNS": "120", "TZ": "UTC"} | dict(given),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def type(self, command: str) -> str:
        """Return what a command says. Raises AssertionError if its status is not 0."""
        assert self._bash.stdin is not None
        self._bash.stdin.write(f"{{ {command}\n}} </dev/null\nprintf '\\n{_END} %d %s\\n' $? \"$PWD\"\n")
        self._bash.stdin.flush()
        watch = threading.Timer(_LONGEST, self._kill)
        watch.start()
        try:
            return self._said(command)
        finally:
            watch.cancel()

    def _said(self, command: str) -> str:
        assert self._bash.stdout is not None
        output: list[str] = []
        for line in self._bash.stdout:
            if line.startswith(_END):
                _, status, folder = line.rstrip("\n").split(" ", 2)
                self.folder = Path(folder)
                said = "".join(output).removesuffix("\n")
                assert status == "0", f"$ {command}\n{said}\nexit status {status}"
                return said
            output.append(line)
        raise AssertionError(f"$ {command}\nended the shell, or took more than {_LONGEST:g} s:\n{''.join(output)}")

    def close(self) -> None:
        """End bash and everything it began."""
        self._kill()
        self._bash.communicate()

    def _kill(self) -> None:
        os.killpg(self._bash.pid, signal.SIGKILL)


def type_page(
    page: str, folder: Path, *, replaced: Mapping[str, str] | None = None, given: Mapping[str, str] | None = None
) -> list[Said]:
    """Type a page in a folder and return what its commands said.

    ``replaced`` has what stands on the page and what it is in truth (an address); ``given`` is put into the
    environment. Raises AssertionError where a command says something else than the page.
    """
    replaced = replaced or {}
    terminal = Terminal(folder, given or {})
    done: list[Said] = []
    try:
        for block in blocks(ROOT / page):
            if block.language == "console":
                for command, expected in commands(block):
                    output = _exchanged(terminal.type(_exchanged(command, replaced)), _backwards(replaced))
                    done.append(Said(command, expected, output))
                    shown = f"{page}:{block.line}\n$ {command}\nhas to say:\n{expected}\nsaid:\n{output}"
                    assert expected is None or matches(expected, output), shown
            elif block.file:
                file = terminal.folder / block.file
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(_exchanged(block.text, replaced), encoding="utf-8")
    finally:
        terminal.close()
    assert done, f"{page} has no command"
    return done


def _exchanged(text: str, pairs: Mapping[str, str]) -> str:
    for old, new in pairs.items():
        text = text.replace(old, new)
    return text


def _backwards(pairs: Mapping[str, str]) -> dict[str, str]:
    return {new: old for old, new in pairs.items()}
