"""How are Scrapy's tests had, run in a process of their own, and counted?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

VERSION = "2.19.0"
HERE = Path(__file__).parent
CACHE = Path(sys.prefix) / f"scrapy-{VERSION}-tests"


def lines_of(name: str) -> list[str]:
    """Return the lines of a list that is kept beside this module, without comments."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line.partition("#")[0].strip() for line in lines if line.partition("#")[0].strip()]


def left_out() -> dict[str, str]:
    """Return the reason for each test, class or module that is not run."""
    reasons = {}
    for line in lines_of("left_out.txt"):
        reason, name = line.split()
        assert name not in reasons, f"left_out.txt has {name} twice"
        reasons[name] = reason
    return reasons


def sources() -> Path:
    """Return the folder that has Scrapy's ``tests``; its own package is not unpacked."""
    if not (CACHE / "tests").is_dir():
        with TemporaryDirectory(dir=sys.prefix) as folder:
            wanted = ["--no-deps", "--no-binary", ":all:", f"scrapy=={VERSION}"]
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, *wanted, "--dest", folder], check=True)
            with tarfile.open(Path(folder) / f"scrapy-{VERSION}.tar.gz") as archive:
                archive.extractall(Path(folder), filter="data")
            CACHE.mkdir(exist_ok=True)
            (Path(folder) / f"scrapy-{VERSION}" / "tests").rename(CACHE / "tests")
    return CACHE


def run(modules: Iterable[str], *options: str, python: str = sys.executable, door: bool = True) -> dict[str, str]:
    """Run test modules; return what became of each test, by its name: passed, failed, skipped, left out."""
    root = sources()
    with TemporaryDirectory() as folder:
        names, outcomes = Path(folder) / "left_out", Path(folder) / "outcomes.json"
        names.write_text("\n".join(left_out()) if door else "", encoding="utf-8")
        plugins = ["-p", "driving", "-p", "no:cacheprovider", "-p", "no:xdist"]
        plugins += ["--noconftest", "--continue-on-collection-errors"]
        files = [f"tests/{module}" for module in modules]
        path = os.pathsep.join([str(HERE), *([str(HERE / "opened")] if door else []), os.environ.get("PYTHONPATH", "")])
        done = subprocess.run(
            [python, "-m", "pytest", "-q", "--rootdir", str(root), "-c", str(HERE / "mirror.ini"), *plugins,
             "--left-out", str(names), "--outcomes", str(outcomes), *options, *files],
            cwd=root, env={**os.environ, "PYTHONPATH": path}, stdout=sys.stderr, check=False,
        )  # fmt: skip
        assert outcomes.exists(), f"pytest ended with {done.returncode}"
        said: dict[str, str] = json.loads(outcomes.read_text(encoding="utf-8"))
    return {name.removeprefix("tests/"): outcome for name, outcome in said.items()}


def table(outcomes: Mapping[str, str]) -> str:
    """Return the counts by module and by reason as text."""
    reasons = left_out()
    modules: dict[str, dict[str, int]] = {}
    why: dict[str, int] = {}
    for name, outcome in outcomes.items():
        word, _, pattern = outcome.partition(": ")
        counts = modules.setdefault(name.partition("::")[0], {})
        counts[word] = counts.get(word, 0) + 1
        if pattern:
            why[reasons[pattern]] = why.get(reasons[pattern], 0) + 1
    words = ("passed", "failed", "left out", "skipped")
    lines = [f"{'':50}" + "".join(f"{word:>10}" for word in words)]
    for module, counts in sorted(modules.items()):
        lines.append(f"{module:50}" + "".join(f"{counts.get(word, 0):>10}" for word in words))
    sums = {word: sum(counts.get(word, 0) for counts in modules.values()) for word in words}
    lines.append(f"{'all':50}" + "".join(f"{sums[word]:>10}" for word in words))
    return "\n".join([*lines, *(f"left out: {reason} {count}" for reason, count in sorted(why.items()))])
