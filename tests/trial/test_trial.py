"""Does twisted.trial test spiders as its users expect?"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.process
def test_the_suite_passes_under_trial(outside: None, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "twisted.trial", "--reactor=asyncio", f"--temp-directory={tmp_path / 'trial'}"]
    ended = subprocess.run(
        [*command, "tests.trial.prices"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(r"PASSED \(successes=4\)", ended.stdout), ended.stdout
