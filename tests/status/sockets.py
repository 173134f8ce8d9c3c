"""Clients of a status page that are not ours, on real sockets, in threads beside the tests' reactor."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any, TypeVar

from tests.download.reactor import until
from tests.status.wire import Reply

T = TypeVar("T")


def beside(work: Callable[[], T]) -> T:
    """Do blocking work in a thread while the reactor turns; return its result or raise its error."""
    outcome: list[tuple[bool, Any]] = []

    def run() -> None:
        try:
            outcome.append((True, work()))
        except BaseException as error:
            outcome.append((False, error))

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: not thread.is_alive(), seconds=20)
    (good, result), = outcome  # fmt: skip
    if not good:
        raise result
    done: T = result
    return done


class UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def fetch(connection: HTTPConnection, path: str, method: str = "GET", body: Any = None, **headers: str) -> Reply:
    """Send one request and read the response. Blocks."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, named)
    response = connection.getresponse()
    reply = Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    connection.close()
    return reply
