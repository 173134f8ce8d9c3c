"""Is the request known whose callback ran when a worker was killed?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.storage.cluster.blame import Blame, blamed

KILLED = """
import os, signal, sys
from crawler.storage.cluster.blame import Blame
blame = Blame(sys.argv[1])
blame.running(7)
blame.running(int(sys.argv[2]))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.process
@pytest.mark.parametrize("token", [0, 2**53 + 1, -1])
def test_it_is_named_in_spite_of_sigkill(tmp_path: Path, token: int) -> None:
    path = tmp_path / "blame"
    ended = subprocess.run([sys.executable, "-c", KILLED, path, str(token)], env=os.environ, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert blamed(path) == token


def test_a_new_worker_is_charged_with_nothing(tmp_path: Path) -> None:
    path = tmp_path / "blame"
    assert blamed(path) == 0
    blame = Blame(path)
    blame.running(5)
    blame.close()
    assert blamed(path) == 5
    Blame(path).close()
    assert blamed(path) == 0
