"""Does a crawl through the whole engine come to the right end with every fault of a server mixed in?"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.chaos_site import KINDS

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
@pytest.mark.alone
def test_every_fault_through_the_engine() -> None:
    """Each page comes to what its kind says, slots and connections are free, the books balance (bench/soak.py)."""
    ran = subprocess.run(
        [sys.executable, "-m", "bench.soak", "--requests", "5000"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    counted = dict(re.findall(r"(\w+) ([\d,]+)", ran.stdout.splitlines()[-2]))
    assert set(counted) == {kind.outcome for kind in KINDS.values()}
    assert "0" not in counted.values(), counted
