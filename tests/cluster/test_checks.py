"""What a server must be: each that is not fit is refused with a sentence that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.errors import UsageError
from crawler.storage.cluster.checks import check_server
from crawler.storage.cluster.client import Connection
from tests.cluster.servers import configured, connection_to, free_port

pytestmark = pytest.mark.process


def check(folder: Path, password: str | None = None, *, resumed: bool = False) -> list[str]:
    connection = connection_to(f"unix://{folder / 's'}", password)
    connection.open()
    try:
        return check_server(connection, resumed=resumed)
    finally:
        connection.close()


def test_a_private_server_is_fit(connection: Connection) -> None:
    assert check_server(connection) == []


def test_one_without_a_disk_is_warned_of(program: str, tmp_path: Path) -> None:
    with configured(program, tmp_path):
        assert ["keeps no append-only file" in warning for warning in check(tmp_path)] == [True]


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_a_server_that_evicts_is_refused(program: str, tmp_path: Path, policy: str) -> None:
    with (
        configured(program, tmp_path, "--maxmemory", "1gb", "--maxmemory-policy", policy),
        pytest.raises(UsageError, match=rf"unix://.*maxmemory-policy {policy}\).*set it to noeviction"),
    ):
        check(tmp_path)


def test_a_replica_is_refused(program: str, tmp_path: Path) -> None:
    with (
        configured(program, tmp_path, "--replicaof", "127.0.0.1 1"),
        pytest.raises(UsageError, match=r"is a replica.*give the URL of its primary, 127.0.0.1:1$"),
    ):
        check(tmp_path)


def test_cluster_mode_is_refused(program: str, tmp_path: Path) -> None:
    with (
        configured(program, tmp_path, "--cluster-enabled", "yes", "--cluster-port", str(free_port()), port=free_port()),
        pytest.raises(UsageError, match=r"cluster mode.*give the URL of one that does not \(cluster-enabled no\)"),
    ):
        check(tmp_path)


def test_a_full_server_is_refused_but_for_a_job_that_is_there(program: str, tmp_path: Path) -> None:
    with configured(program, tmp_path, "--maxmemory", "100kb"):
        with pytest.raises(UsageError, match=r"memory of the server at unix://.* is full: raise its maxmemory"):
            check(tmp_path)
        assert check(tmp_path, resumed=True)


class Old(Connection):
    """Says that it is older than it is."""

    def command(self, *words: str | bytes | int, patience: float | None = None) -> object:
        return super().command(*words, patience=patience).replace(b"redis_version:", b"redis_version:6.2.14\r\nreal:")


def test_a_server_that_is_too_old_is_refused(connection: Connection) -> None:
    old = Old(connection.address)
    old.open()
    with pytest.raises(UsageError, match=r"is Redis 6\.2\.14; jobs need Redis 7 or newer"):
        check_server(old)
    old.close()
