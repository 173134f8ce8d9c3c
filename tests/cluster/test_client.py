"""Calls on a server: what is wrong before the start is said, what passes by itself afterwards is not seen."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from crawler.errors import StoreError, UsageError
from crawler.storage.cluster.client import Connection
from tests.cluster.servers import configured, connection_to, free_port, silent

pytestmark = pytest.mark.process

LIBRARY = """#!lua name=t
redis.register_function{function_name='t_keep', callback=function(k, a) return redis.call('INCRBY', k[1], a[1]) end}
redis.register_function{function_name='t_look', callback=function(k, a) return redis.call('GET', k[1]) end,
                        flags={'no-writes'}}
redis.register_function{function_name='t_fail', callback=function(k, a) return redis.error_reply('ERR no such job') end}
"""


def refusal(connection: Connection) -> str:
    with pytest.raises(UsageError) as caught:
        connection.open()
    return str(caught.value)


def test_functions_are_called(connection: Connection) -> None:
    connection.command("FUNCTION", "LOAD", "REPLACE", LIBRARY)
    assert connection.call("t_keep", "key", 2) == 2
    assert connection.readonly("t_look", b"key") == b"2"
    with pytest.raises(StoreError, match=r"refused a call: .*no such job"):
        connection.call("t_fail", "key")
    assert connection.command("GET", "nothing") is None


def test_functions_that_are_missing_are_loaded_again(connection: Connection) -> None:
    connection.command("FUNCTION", "FLUSH")
    connection.library = LIBRARY
    assert connection.call("t_keep", "key", 3) == 3
    with pytest.raises(StoreError, match="Function not found"):
        connection.call("t_other", "key")


def test_nobody_there(tmp_path: Path) -> None:
    port = free_port()
    assert refusal(connection_to(f"redis://127.0.0.1:{port}")) == (
        f"no server answers at redis://127.0.0.1:{port}/0: Connection refused; start it, or correct JOB_STORE"
    )
    assert refusal(connection_to(f"unix://{tmp_path}/s")).startswith(f"there is no socket {tmp_path}/s: start")
    assert "no server answers at redis://no.invalid/0: " in refusal(connection_to("redis://no.invalid"))
    with silent() as port:
        assert "does not answer: see whether it is reachable" in refusal(connection_to(f"redis://127.0.0.1:{port}"))


def test_passwords(program: str, tmp_path: Path) -> None:
    url = f"unix://{tmp_path}/s"
    with configured(program, tmp_path, "--requirepass", "right"):
        assert "asks for a password: set JOB_STORE_PASSWORD" in refusal(connection_to(url))
        wrong = refusal(connection_to(url, "wrong-one"))
        assert "does not take the password: correct JOB_STORE_PASSWORD" in wrong
        assert "wrong-one" not in wrong
        connection_to(url, "right").open()
        admin = connection_to(url, "right")
        admin.open()
        admin.command("ACL", "SETUSER", "joe", "on", ">pw", "+ping")
        other = connection_to(f"unix://joe@{tmp_path}/s", "pw")
        other.open()
        with pytest.raises(StoreError, match=r"may not do what a job needs.*ACL SETUSER"):
            other.command("INFO")
        assert "password of 'joe'" in refusal(connection_to(f"unix://joe@{tmp_path}/s", "bad"))


def test_a_password_that_the_server_does_not_know_of(program: str, tmp_path: Path) -> None:
    with configured(program, tmp_path):
        assert "knows no password, and one is given" in refusal(connection_to(f"unix://{tmp_path}/s", "pw"))
        assert "has no database 99" in refusal(connection_to(f"unix://{tmp_path}/s?db=99"))


def test_full_memory_is_said(program: str, tmp_path: Path) -> None:
    with configured(program, tmp_path, "--maxmemory", "100kb"):
        connection = connection_to(f"unix://{tmp_path}/s")
        connection.open()
        with pytest.raises(StoreError, match="is full: raise its maxmemory"):
            connection.command("SET", "a", "b")


def test_too_many_clients(program: str, tmp_path: Path) -> None:
    port = free_port()
    with configured(program, tmp_path, "--maxclients", "1", port=port):
        first = connection_to(f"redis://127.0.0.1:{port}")
        wait_for(lambda: opened(first))  # the connection that waited for the server may not be gone yet
        assert "raise its maxclients" in refusal(connection_to(f"redis://127.0.0.1:{port}"))
        first.close()


def opened(connection: Connection) -> bool:
    try:
        connection.open()
    except UsageError:
        return False
    return True


def test_an_outage_is_told_once_and_the_same_call_is_made_again(
    program: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    aof = ("--appendonly", "yes")
    connection = connection_to(f"unix://{tmp_path}/s")
    with configured(program, tmp_path, *aof):
        connection.open()
        assert connection.command("INCR", "n") == 1
    assert not caplog.records
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.append(connection.command("INCR", "n")))
    thread.start()
    wait_for(lambda: bool(caplog.records))
    with configured(program, tmp_path, *aof):
        thread.join(20)
        assert answers == [2]
        assert connection.command("GET", "n") == b"2"
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert said[0].startswith(f"no server answers at unix://{tmp_path}/s: Connection refused")
    assert said[1] == f"The server at unix://{tmp_path}/s answers again"


def test_a_cut_that_is_over_at_once_is_not_told(connection: Connection, caplog: pytest.LogCaptureFixture) -> None:
    number = connection.command("CLIENT", "ID")
    killer = Connection(connection.address)
    killer.open()
    killer.command("CLIENT", "KILL", "ID", number)
    assert connection.command("PING") == b"PONG"
    assert not caplog.records
    killer.close()


def test_patience_ends(program: str, tmp_path: Path) -> None:
    connection = connection_to(f"unix://{tmp_path}/s")
    with configured(program, tmp_path):
        connection.open()
    began = time.monotonic()
    with pytest.raises(StoreError, match="no server answers"):
        connection.command("PING", patience=0.2)
    assert 0.2 <= time.monotonic() - began < 20


def test_a_call_that_waits_ends_when_the_connection_is_closed(program: str, tmp_path: Path) -> None:
    connection = connection_to(f"unix://{tmp_path}/s")
    with configured(program, tmp_path):
        connection.open()
    caught: list[StoreError] = []

    def call() -> None:
        try:
            connection.command("PING")
        except StoreError as error:
            caught.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    time.sleep(0.05)
    connection.close()
    thread.join(20)
    assert [str(error) for error in caught] == [f"the connection to unix://{tmp_path}/s is closed"]


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)
