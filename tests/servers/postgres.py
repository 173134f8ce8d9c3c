"""A PostgreSQL of the test's own: a cluster in a temporary folder, on a port of loopback."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.process import START_SECONDS, folder, free_port, program

_CONFIG = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
max_connections = 30
shared_buffers = 16MB
logging_collector = off
"""


@dataclass
class PostgresServer:
    """``uri`` is that of a user who may do everything; ``databases`` are made by ``database``."""

    port: int
    _data: Path
    _binaries: Path
    _count: int = field(default=0)

    def uri(self, database: str, user: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def database(self) -> str:
        """Make an empty database; return its name."""
        self._count += 1
        name = f"d{self._count}"
        self.run("postgres", f"CREATE DATABASE {name}")
        return name

    def run(self, database: str, statement: str) -> list[Any]:
        """Run one statement; return its rows."""
        import psycopg

        with psycopg.connect(self.uri(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def ask_for_password(self, user: str) -> None:
        """Let this user in by password alone."""
        rules = self._data / "pg_hba.conf"
        rules.write_text(f"host all {user} 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
        self.run("postgres", "SELECT pg_reload_conf()")

    def stop(self) -> None:
        """End it at once; connections break."""
        self._control("stop", "-m", "immediate", "-w")

    def start(self) -> None:
        """Run it, until it answers."""
        self._control("start", "-w", "-t", str(int(START_SECONDS)), "-l", str(self._data / "log"))

    def _control(self, *arguments: str) -> None:
        command = [str(self._binaries / "pg_ctl"), "-D", str(self._data), *arguments]
        subprocess.run(as_postgres(command), check=True, stdout=subprocess.DEVNULL, timeout=60)


def as_postgres(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    return command if os.getuid() else ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else Path(program("initdb")).parent


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    """Run one until the block ends; skips the test by name where there is none."""
    binaries = _binaries()
    with folder("postgres") as private:
        if not os.getuid():
            user = pwd.getpwnam("postgres")
            os.chown(private, user.pw_uid, user.pw_gid)
        data, port = private / "data", free_port()
        made = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8"]
        subprocess.run(as_postgres([*made, "--locale=C"]), check=True, stdout=subprocess.DEVNULL, timeout=60, cwd="/")
        with (data / "postgresql.conf").open("a") as config:
            config.write(f"{_CONFIG}port = {port}\n")
        server = PostgresServer(port, data, binaries)
        server.start()
        try:
            yield server
        finally:
            server.stop()
