"""What must a job remember of the command that began it, so that ``crawler resume`` needs nothing else?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, ValidationError, convert, to_builtins

from crawler.commands.options import RunOptions
from crawler.errors import UsageError

_KEY = "command"


class Remembered(Struct):
    """The command: spider (and ``file`` for one that was run from a file), arguments, settings and folder."""

    spider: str
    folder: str
    file: str | None = None
    arguments: dict[str, str] = {}
    settings: dict[str, Any] = {}


def remember(spider: str, options: RunOptions, *, file: str | None) -> dict[str, Any]:
    """Return the description of a new job: plain values."""
    settings = {name: value for name, value in options.settings.items() if name != "JOB_NAME"}
    command = Remembered(spider, str(Path.cwd()), file, dict(options.arguments), settings)
    return {"spider": spider, _KEY: to_builtins(command)}


def recall(job: str, description: Mapping[str, Any]) -> Remembered:
    """Return what a job remembers. Raises UsageError for a job that no command began."""
    if _KEY not in description:
        raise UsageError(f"job {job} was not begun by a command; continue it from the script that began it")
    try:
        return convert(description[_KEY], Remembered)
    except ValidationError as error:
        raise UsageError(f"job {job} remembers no command this version understands: {error}") from error
