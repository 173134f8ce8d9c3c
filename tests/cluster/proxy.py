"""How are a client's calls lost on their way, or their answers?"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path


class Proxy:
    """A Unix socket before a server's. ``lose`` says of the n-th call on it, counted from 1, what becomes of it.

    It answers "" (nothing is lost), "call" (the connection is cut before the server has heard of it) or "answer" (cut
    when the server has executed it).
    """

    def __init__(self, path: Path, server: str) -> None:
        self.path = path
        self._server = server
        self.lose = lambda number: ""
        self.calls = 0
        self._lock = threading.Lock()
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen()
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Where a client connects to."""
        return f"unix://{self.path}"

    def close(self) -> None:
        """Cut all off, and take no more."""
        self._cut(self._listening)
        for each in list(self._open):
            self._cut(each)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self._server)
        except OSError:
            self._cut(client)
            return
        self._open |= {client, server}
        verdict = [""]
        threading.Thread(target=self._answers, args=(server, client, verdict), daemon=True).start()
        with suppress(OSError):
            while data := client.recv(2**20):
                if b"FCALL\r\n" in data:
                    with self._lock:
                        self.calls += 1
                        verdict[0] = self.lose(self.calls)
                if verdict[0] == "call":
                    break
                server.sendall(data)
        self._cut(client)
        self._cut(server)

    def _answers(self, server: socket.socket, client: socket.socket, verdict: list[str]) -> None:
        with suppress(OSError):
            while data := server.recv(2**20):
                if verdict[0] == "answer":
                    break
                client.sendall(data)
        self._cut(client)
        self._cut(server)

    def _cut(self, end: socket.socket) -> None:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
        self._open.discard(end)
