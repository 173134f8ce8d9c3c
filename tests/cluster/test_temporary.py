"""What was of use to processes that were killed does not lie about for ever, and what is in use stays."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.storage.cluster.private import PrivateServer
from crawler.storage.cluster.temporary import NEW_SECONDS, SOCKET, TemporaryFolder

pytestmark = pytest.mark.process

_STARTER = """
import sys, time
from crawler.storage.cluster.private import PrivateServer
server = PrivateServer(sys.argv[1], program=sys.argv[2])
server.start()
print(server.address.socket, server._process.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are in a test."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


def age(folder: Path) -> None:
    os.utime(folder, (0, folder.stat().st_mtime - NEW_SECONDS - 1))


def test_what_a_killed_process_has_left_goes_with_the_next_one(temporary: Path) -> None:
    code = "import sys, os; from crawler.storage.cluster.temporary import TemporaryFolder as Folder\n"
    code += "print(Folder('x-').path, flush=True); os.kill(os.getpid(), 9)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout
    left = Path(said.strip())
    (left / "file").write_text("")
    TemporaryFolder("x-").end()
    assert left.is_dir()  # it may be one that is just being made
    age(left)
    TemporaryFolder("y-").end()
    assert left.is_dir()
    TemporaryFolder("x-").end()
    assert not left.exists()


def test_what_is_in_use_stays(temporary: Path) -> None:
    ours, other = TemporaryFolder("x-"), temporary / "x-of-an-earlier-version"
    other.mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(other / SOCKET))
        listening.listen()
        age(ours.path)
        age(other)
        TemporaryFolder("x-").end()
        assert ours.path.is_dir()
        assert other.is_dir()
    TemporaryFolder("x-").end()
    assert not other.exists()
    ours.end()
    assert not ours.path.exists()


def test_a_servers_folder_is_its_own_as_long_as_starter_or_server_live(program: str, temporary: Path) -> None:
    command = [sys.executable, "-c", _STARTER, str(temporary / "one.cluster"), program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        path, server = starter.stdout.readline().split()
        folder = Path(path).parent
        os.kill(int(server), signal.SIGKILL)  # the starter would start it again in this folder
        age(folder)
        with PrivateServer(temporary / "two.cluster", program=program):
            assert folder.is_dir()
        starter.kill()
    age(folder)
    with PrivateServer(temporary / "two.cluster", program=program):
        assert not folder.exists()
