"""Where do the lines go that workers write to stderr, and how does a reader know whose they are?"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from crawler.commands.screen import Screen
from crawler.config.schema import CoreSettings


class Relay:
    """Takes the lines of workers: to LOG_FILE if there is one, else to the screen.

    A line begins with the worker's name; one that is JSON gets it as its first field.
    """

    def __init__(self, core: CoreSettings, screen: Screen) -> None:
        self._file = Path(core.LOG_FILE).absolute() if core.LOG_FILE is not None and core.LOG_ENABLED else None
        self._as_json = core.LOG_FORMAT == "json"
        self._screen = screen

    def said(self, name: str, line: str) -> None:
        """A worker of this name wrote a line to stderr."""
        named = f'{{"worker":"{name}",{line[1:]}' if self._as_json and line.startswith('{"') else f"{name} {line}"
        if self._file is None:
            self._screen.write(named)
            return
        with suppress(OSError), self._file.open("a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(named)
