"""With which earlier run is a crawl compared, and what does it know from it?

``--since`` names the run: LAST (the last finished one of the spider with the same arguments), a job, or a run of a job
by the name of its file in the history. Whatever is wrong with that is told before anything starts.
"""

from __future__ import annotations

import logging
import os
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from crawler.config.schema import CoreSettings
from crawler.engine.items.keys import ItemKeys, key_of_fields
from crawler.errors import OutputError, UsageError
from crawler.feeds.digests import DigestFeed
from crawler.feeds.names import STDOUT, is_elsewhere, local_path
from crawler.feeds.seam import Feed
from crawler.model.masking import masked
from crawler.model.request import Request
from crawler.policy.known import KnownLeaves
from crawler.storage import history
from crawler.storage.history import Run
from crawler.storage.itemhistory import leaves
from crawler.storage.itemrecord import ItemRecord
from crawler.storage.itemrows import rows_of
from crawler.storage.jobs import job_path

logger = logging.getLogger("crawler")

LAST = "LAST"


@dataclass(frozen=True, slots=True)
class Command:
    """What a crawl was begun with, as far as it tells one from another. ``arguments`` None: that is not known."""

    spider: str
    arguments: Mapping[str, str] | None = None
    file: str | None = None

    @classmethod
    def of(cls, spider: str, description: Mapping[str, Any]) -> Command:
        """Return that of a job's description."""
        command = description.get("command") or {}
        return cls(spider, command.get("arguments"), command.get("file"))

    def line(self, core: CoreSettings) -> str:
        """Return a command that makes a first run."""
        words = ["crawler", *(["run", self.file] if self.file else ["crawl", self.spider])]
        for name, value in (self.arguments or {}).items():
            words += ["-a", masked(f"{name}={value}")]
        if core.JOB_DIR != CoreSettings().JOB_DIR:
            words += ["-s", f"JOB_DIR={core.JOB_DIR}"]
        return shlex.join([*words, "-s", "HTTPCACHE_ENABLED=true"])

    def made(self, run: Run) -> bool:
        """Tell whether a run had the same arguments, as far as that is known: a history keeps no secrets."""
        if self.arguments is None:
            return True
        kept = {name: value for name, value in self.arguments.items() if f"arguments:{name}" not in run.withheld}
        return kept == ((run.description.get("command") or {}).get("arguments") or {})


def run_name(run: Run) -> str:
    """Return the name of one run of a job, by which --since finds it."""
    return run.path.name.removesuffix(history.SUFFIX)


def check(core: CoreSettings) -> None:
    """Raise UsageError if settings of a second run do not go together."""
    if core.ONLY_NEW and core.SINCE is None:
        raise UsageError("--only-new (ONLY_NEW) leaves out what an earlier run knew: name it with --since, as LAST")
    if core.SINCE is not None and core.HTTPCACHE_POLICY != "rfc9111":
        raise UsageError(
            f'--since asks whether pages have changed, but HTTPCACHE_POLICY = "{core.HTTPCACHE_POLICY}" never asks: '
            'leave it at "rfc9111"'
        )
    if core.CHANGES_FILE is None:
        return
    if core.JOB_STORE != "sqlite" and "://" not in str(core.JOB_STORE):
        raise UsageError("--changes (CHANGES_FILE) needs a job: leave JOB_STORE as it is")
    if not (core.JOB_HISTORY_DAYS and core.JOB_HISTORY_RUNS) or core.JOB_HISTORY_ITEMS == "none":
        raise UsageError(
            "--changes (CHANGES_FILE) needs the history of the run: JOB_HISTORY_DAYS and JOB_HISTORY_RUNS must not be "
            '0, nor JOB_HISTORY_ITEMS "none"'
        )
    _check_target(Path(core.CHANGES_FILE).absolute(), core.FEEDS)


def _check_target(path: Path, feeds: Iterable[str]) -> None:
    if path.name == "-":
        raise OutputError("--changes: the changes are written to a file, in its place: name one, not -")
    files = (local_path(name, name) for name in feeds if name not in STDOUT and not is_elsewhere(name))
    if os.path.realpath(path) in map(os.path.realpath, files):
        raise OutputError(f"--changes: {path} is the output, in whose place the changes would be: name another file")
    if path.is_dir():
        raise OutputError(f"--changes: cannot write {path}: it is a folder")
    if not path.parent.is_dir():
        raise OutputError(f"--changes: cannot write {path}: there is no such folder")
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f"--changes: cannot write {path}: no permission to write to its folder")


def named_run(core: CoreSettings, command: Command) -> str:
    """Return the name of the run that SINCE means now. Raises UsageError."""
    check(core)
    return run_name(find_run(core, command))


def find_run(core: CoreSettings, command: Command) -> Run:
    """Return the run that SINCE names. Raises UsageError if there is none."""
    name = core.SINCE or LAST
    known = [run for run in history.runs(core.JOB_DIR) if run.spider == command.spider]
    for run in known:
        if command.made(run) if name == LAST else name in (run.job, run_name(run)):
            return run
    raise UsageError(_not_there(core, command, name, known))


def _not_there(core: CoreSettings, command: Command, name: str, known: list[Run]) -> str:
    folder = history.folder_of(core.JOB_DIR)
    if name != LAST:
        if job_path(core.JOB_DIR, name).exists():
            return f"--since {name}: this job has not finished; `crawler resume {name}` goes on with it"
        runs = ", ".join(dict.fromkeys(run.job for run in known[:10]))
        return f"--since {name}: {folder} has no finished run of {command.spider} by this name" + (
            f"; there are {runs}, which -s SINCE=NAME takes instead, also in a resume" if runs else ""
        )
    said = f"--since {LAST}: {folder} has no finished run of {command.spider}"
    if known:
        return f"{said} with these arguments; the last one with others is named by --since {known[0].job}"
    if not (core.JOB_HISTORY_DAYS and core.JOB_HISTORY_RUNS):
        return f"{said}, for JOB_HISTORY_DAYS or JOB_HISTORY_RUNS is 0"
    return f"{said}. Make a first run, and let it come to its end: `{command.line(core)}`"


class SecondRun(NamedTuple):
    """What a crawl knows of an earlier one: nothing, if ``run`` is None. ``keyed``: its items are to be found again."""

    run: Run | None = None
    known: KnownLeaves | None = None
    keyed: bool = False


def second_run(
    core: CoreSettings, command: Command, fingerprint: Callable[[Request], int], *, part: bool = False
) -> SecondRun:
    """Return what a crawl knows from the run that SINCE names. Raises UsageError.

    ``part``: it is for one worker, which writes no items, and may be on another machine than the histories.
    """
    if part and not core.ONLY_NEW:
        return SecondRun()
    check(core)
    if core.SINCE is None:
        return SecondRun()
    run = find_run(core, command)
    if not part and not Path(core.HTTPCACHE_FILE).exists():
        logger.warning(
            "There is no HTTP cache %s yet: every page is fetched whole, and kept for the next run", core.HTTPCACHE_FILE
        )
    if core.CHANGES_FILE is not None and run.items and next(rows_of(run), None) is None:
        raise UsageError(
            f"--changes: run {run_name(run)} kept nothing of its {run.items:,} items: it had no output, or "
            'JOB_HISTORY_ITEMS was "none"'
        )
    known = KnownLeaves(leaves(run), fingerprint, run_name(run)) if core.ONLY_NEW else None
    return SecondRun(run, known)


def keeps_items(core: CoreSettings) -> bool:
    """Tell whether a crawl that writes its items keeps what tells them apart, too."""
    return bool(core.JOB_HISTORY_DAYS and core.JOB_HISTORY_RUNS) and core.JOB_HISTORY_ITEMS != "none"


def with_digests(feeds: Sequence[Feed], core: CoreSettings, job: Path, second: SecondRun) -> Sequence[Feed]:
    """Return the feeds of a job, and the one of its own if it keeps what tells its items apart.

    ``job``: the job's file, or what would be it.
    """
    if not keeps_items(core) or not (feeds or core.CHANGES_FILE is not None):
        return feeds
    target = Path(core.CHANGES_FILE).absolute() if core.CHANGES_FILE is not None else None
    since = second.run.path if second.run is not None else None
    record = ItemRecord(job, whole=core.JOB_HISTORY_ITEMS == "whole", since=since, target=target)
    return [DigestFeed(record, core.CHANGES_IGNORE), *feeds]  # first: what is wrong with it costs no output


def item_keys(core: CoreSettings) -> ItemKeys:
    """Return what gives items their keys."""
    key = core.ITEM_KEY
    return ItemKeys(key if key is None or callable(key) else key_of_fields(key))
