"""Do type checkers find the mistakes in a user's spider, and leave what is right alone?

A checker takes a second or two, so each looks once, at one file with all the mistakes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

PLANTED = Path(__file__).with_name("planted.py")
WRONG = {number for number, line in enumerate(PLANTED.read_text().splitlines(), 1) if line.endswith("  # wrong")}


def run(*command: str) -> str:
    """Return what a program of this environment says."""
    return subprocess.run(
        [sys.executable, "-m", *command, str(PLANTED)],
        cwd=PLANTED.parents[2],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    ).stdout


def test_mypy_finds_each_planted_mistake_and_no_other() -> None:
    said = run("mypy", "--strict", "--no-error-summary", "--hide-error-context")
    assert {int(line) for line in re.findall(r"^[^:]+:(\d+): error:", said, re.MULTILINE)} == WRONG, said


def test_basedpyright_finds_each_planted_mistake_and_no_other() -> None:
    pytest.importorskip("basedpyright")
    found = json.loads(run("basedpyright", "--outputjson", "--level", "error"))["generalDiagnostics"]
    assert {each["range"]["start"]["line"] + 1 for each in found} == WRONG, found
