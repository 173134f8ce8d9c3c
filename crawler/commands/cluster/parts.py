"""What of a crawl is each worker's own: its settings, its files, and the source of the spider that it has?"""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
from pathlib import Path
from typing import Any

from msgspec import Struct

from crawler.commands.cluster.child import Child
from crawler.commands.cluster.limits import NOT_FOR_ONE_WORKER
from crawler.config.schema import CoreSettings
from crawler.storage.cluster.address import PASSWORD_SETTING, Address


class Instructions(Struct):
    """What a worker is told by the process that starts it: all of a crawl but its store.

    ``settings`` are those of the command line; ``source`` tells the spider's source, "" if it may be any.
    """

    spider: str
    file: str | None = None
    arguments: dict[str, str] = {}
    settings: dict[str, Any] = {}
    source: str = ""


def settings_of_worker(core: CoreSettings, name: str) -> dict[str, Any]:
    """Return the settings in which a worker differs from its crawl.

    Feeds, progress, the rule for the exit status and some limits are the starter's; a WARC file is
    one for each worker, which keeps it when another process takes its place. The HTTP cache is one file for all of a
    machine, so that whoever gets a page finds what another one has kept of it.
    """
    own: dict[str, Any] = {
        "FEEDS": {},
        "CHANGES_FILE": None,
        "LOG_FILE": None,
        "LOGSTATS_INTERVAL": 0.0,
        "FAIL_ON": ["none"],
        **dict.fromkeys(NOT_FOR_ONE_WORKER, 0),
    }
    if core.WARC_FILE is not None:
        own["WARC_FILE"] = beside(core.WARC_FILE, name)
    return own


def beside(file: str, name: str) -> str:
    """Return the file of one worker: ``pages.w1.warc.gz`` for ``pages.warc.gz``."""
    path = Path(file)
    stem, dot, rest = path.name.lstrip(".").partition(".")
    hidden = path.name[: len(path.name) - len(path.name.lstrip("."))]
    return str(path.with_name(f"{hidden}{stem}.{name}{dot}{rest}"))


def source_hash(spider: type) -> str:
    """Return what tells the source of a spider's module from another one; "" if it has none."""
    try:
        file = inspect.getsourcefile(spider)
        return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else ""
    except (OSError, TypeError):
        return ""


def worker_command(address: Address, job: str, child: Child) -> list[str]:
    """Return the command that starts a worker: with this interpreter, and the modules that this process has itself."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    # "python -m" puts the working directory before all other modules; the command `crawler` does not.
    by_module = spec is not None and spec.name == "crawler.__main__"
    safe = [] if by_module and not sys.flags.safe_path else ["-P"]
    options = ["--called", child.name, "--as", child.identity, "--blame", str(child.blame)]
    return [sys.executable, *safe, "-m", "crawler", "work", *options, address.url, job]


def environment_for(address: Address) -> dict[str, str]:
    """Return the environment of a worker, which has the server's password if there is one."""
    password = {PASSWORD_SETTING: address.password} if address.password else {}
    return {**os.environ, **password}
