"""What does a job leave behind when its crawl has finished and its file goes?

A file of its history (see crawler.storage.history), for `crawler jobs failed`, `crawler resume --failed` and
`crawler explain`. It is there before the job goes. Passwords of the command do not get into it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from crawler.config.schema import CoreSettings
from crawler.errors import StoreError
from crawler.model.masking import is_secret_name
from crawler.storage import history
from crawler.storage.finished import keep
from crawler.storage.jobs import read_job

logger = logging.getLogger("crawler")

COMMAND = "command"
"""By this name a description has what was typed (see crawler.commands.options.Remembered)."""


def leave_history(path: Path, core: CoreSettings, wall: float) -> str:
    """Write the history of the finished job in this file; return why it may not go, "" if it may. Never raises."""
    job = read_job(path)
    description, withheld = without_secrets(job.description)
    spider = str(job.description.get("spider", ""))
    return leave(path.parent, job.name, spider, core, wall, lambda: keep(path, description, withheld))


def leave(job_dir: Path, job: str, spider: str, core: CoreSettings, wall: float, write: Callable[[], Path]) -> str:
    """Write a history, unless none are kept, and remove the oldest; return why the job may not go, "" if it may.

    Never raises.
    """
    if not (core.JOB_HISTORY_DAYS and core.JOB_HISTORY_RUNS):
        return ""
    try:
        write()
    except StoreError as error:
        logger.error("The crawl is done, and job %s stays as it is, for nothing else is kept of it: %s", job, error)
        return str(error)
    try:
        history.prune(job_dir, spider, days=core.JOB_HISTORY_DAYS, most=core.JOB_HISTORY_RUNS, now=wall)
    except StoreError as error:
        logger.warning("Histories that are too old stay: %s", error)
    return ""


def without_secrets(description: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return what may be kept of a job's description for weeks, and the names of what may not.

    Settings and arguments that are called a secret, or have a password in them, are left out. (JOB_STORE has none: that
    is refused on a command line, and the name of a user is no secret. Those of STORES have none any more.)
    """
    from crawler.commands.options import STORES
    from crawler.commands.showing import without_passwords

    command, withheld = dict(description.get(COMMAND) or {}), []
    for part in "settings", "arguments":
        given = command.get(part) or {}
        kept = {
            name: value
            for name, value in given.items()
            if name in {"JOB_STORE", *STORES} or not (is_secret_name(name) or without_passwords(name, value) != value)
        }
        withheld += [f"{part}:{name}" for name in given if name not in kept]
        if part in command:
            command[part] = kept
    return {**description, **({COMMAND: command} if COMMAND in description else {})}, withheld
