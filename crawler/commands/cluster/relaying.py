"""Where do the lines go that workers write to stderr, and how does a reader know whose they are?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from crawler.config.schema import CoreSettings


def relayed(core: CoreSettings, write: Callable[[str], object]) -> Callable[[str, str], None]:
    """Return what takes a worker's name and a line of it: to LOG_FILE if there is one, else to ``write``.

    A line begins with the name; one that is JSON gets it as its first field.
    """
    file = Path(core.LOG_FILE).absolute() if core.LOG_FILE is not None and core.LOG_ENABLED else None
    as_json = core.LOG_FORMAT == "json"

    def relay(name: str, line: str) -> None:
        named = f'{{"worker":"{name}",{line[1:]}' if as_json and line.startswith('{"') else f"{name} {line}"
        if file is None:
            write(named)
            return
        with suppress(OSError), file.open("a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(named)

    return relay
