"""What comes of a project when the real Scrapy runs it, and when we do?"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.docs.served import Page
from tests.scrapy_projects.web import Seen, fake_web

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SCRAPY = Path(os.environ.get("SCRAPY_ENVIRONMENT", ROOT / ".venv-scrapy")) / "bin"
OURS = Path(sys.executable).with_name("crawler")
TIMEOUT = 90.0


@dataclass(frozen=True)
class Run:
    """One command that is given in a project's folder.

    ``command``: the words after `scrapy`, or `python` and a script. ``items``: whether its items are asked for with
    -O, beside what the project writes itself. ``ordered``: whether the order of the requests is compared, too.
    ``environment`` is added to ours. ``known``: the stats that are still counted in another way here.
    """

    command: tuple[str, ...]
    items: bool = True
    ordered: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    known: frozenset[str] = frozenset()


@dataclass
class Outcome:
    """What came of it: requests, items, the files that it wrote by path, stats, exit status and log."""

    requests: list[Seen]
    items: list[str]
    files: dict[str, Any]
    stats: dict[str, Any]
    status: int
    log: str


def real_command(run: Run) -> list[str]:
    """Return the command line of the real Scrapy."""
    if run.command[0] == "python":
        return [str(SCRAPY / "python"), *run.command[1:]]
    return [str(SCRAPY / "scrapy"), *run.command, *(("-O", "items.jsonl") if run.items else ())]


def our_command(run: Run) -> list[str]:
    """Return our command line."""
    if run.command[0] == "python":
        return [str(OURS), "run", *run.command[1:]]
    crawls = run.command[0] in ("crawl", "runspider")
    return [
        *(str(OURS), *run.command, *(("-O", "items.jsonl") if run.items else ())),
        *(("--summary", "summary.json") if crawls else ()),
    ]


def run_by(command: list[str], run: Run, *, site: Page, folder: Path, path: str) -> Outcome:
    """Run one command in a copy of a project, on a web of its own."""
    before = set(files_in(folder))
    with fake_web(site) as (web, proxy):
        inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        environment = {**inherited, "http_proxy": proxy, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        log = folder.parent / f"{folder.name}.log"
        with log.open("wb") as file:
            try:
                status = subprocess.run(
                    command, cwd=folder, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                    env={**environment, **run.environment}, timeout=TIMEOUT, check=False,
                ).returncode  # fmt: skip
            except subprocess.TimeoutExpired:
                status = -1
    said = log.read_text(errors="replace")
    items = folder / "items.jsonl"
    lines = items.read_text().splitlines() if items.exists() else []
    items.unlink(missing_ok=True)
    stats = read_stats(folder, said)
    written = {name: content(folder / name) for name in sorted(set(files_in(folder)) - before)}
    return Outcome(web.seen, sorted(map(canonical, lines)), written, stats, status, said)


def run_both(
    make: Callable[[Path], None], run: Run, *, site: Page, folder: Path, real_twice: bool = False
) -> tuple[Outcome, Outcome]:
    """Run a project by both at the same time, each in a copy that ``make`` makes; the real one comes first.

    ``real_twice``: the second is the real one, too, which shows what depends on chance.
    """
    copies = [folder / "real", folder / "ours"]
    for copy in copies:
        if not copy.exists():
            make(copy)
    commands = [real_command(run), real_command(run) if real_twice else our_command(run)]
    paths = [str(HERE / "stats"), str(HERE / "stats") if real_twice else ""]
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(
            lambda which: run_by(which[0], run, site=site, folder=which[1], path=which[2]),
            zip(commands, copies, paths, strict=True),
        )
    return first, second


def copy_of(name: str) -> Callable[[Path], None]:
    """Return what copies a project of `projects/`."""
    return lambda folder: (None, shutil.copytree(HERE / "projects" / name, folder))[0]


# What a crawler keeps for itself, and the logs of projects, which have times in them.
KEPT = re.compile(r"(^|/)(\.crawler|\.scrapy|__pycache__)/|\.(log|pyc)$|^(summary|stats)\.json$|^(job|httpcache)/")


def files_in(folder: Path) -> list[str]:
    """Return the paths of the files that a project has, or has written."""
    names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    return [name for name in names if not KEPT.search(name)]


def content(file: Path) -> Any:
    """Return what a file says, in any order of its items."""
    data = file.read_bytes()
    if file.suffix == ".gz":
        data = gzip.decompress(data)
    if file.suffix == ".json":
        try:
            return sorted(map(canonical, json.loads(data)))
        except (ValueError, TypeError):
            return data
    if file.suffix in (".jsonl", ".jl"):
        return sorted(map(canonical, data.decode().splitlines()))
    if file.suffix == ".db":
        with contextlib.closing(sqlite3.connect(file)) as sql:
            tables = sql.execute("select name from sqlite_master where type = 'table'").fetchall()
            return sorted(str(row) for (name,) in tables for row in sql.execute(f"select * from {name}"))
    if file.suffix in (".jpg", ".png"):
        return "an image"  # made by two versions of Pillow
    return sorted(line for line in data.replace(b"\r\n", b"\n").split(b"\n") if line)


def canonical(item: Any) -> str:
    """Return an item, or the text of one, as a text that is the same for equal items."""
    return json.dumps(json.loads(item) if isinstance(item, str) else item, sort_keys=True, ensure_ascii=False)


def read_stats(folder: Path, log: str) -> dict[str, Any]:
    """Return the stats of a crawl: the real one's from what `stats/sitecustomize.py` wrote, ours from the summary."""
    for name in ("stats.json", "summary.json"):
        file = folder / name
        if file.exists():
            found = json.loads(file.read_text())
            file.unlink()
            return dict(found.get("stats", found) if name == "summary.json" else found)
    return {}


__all__ = ["SCRAPY", "Outcome", "Run", "copy_of", "run_both"]
