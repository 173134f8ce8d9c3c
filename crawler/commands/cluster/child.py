"""How is one worker process started, heard and waited for?

It leads a process group of its own, so that Ctrl-C at a terminal reaches its parent alone, which stops all workers as
one. Its stdin is a socket to the parent: the parent's end tells the worker that nobody is left to look after it, and
the worker says by one byte that its crawl is open. Its stdout is the parent's: what a spider prints lands where it
does in a crawl of one process.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from crawler.storage.cluster.blame import blamed

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase

OPEN = b"o"
"""What a worker says when its crawl is open."""

LAST_WORDS_SECONDS = 1.0
"""So long a dead worker's last lines are waited for: a process that it has started may hold its stderr open."""


class Hearing(Protocol):
    """Who hears of a worker; called in the reactor's thread."""

    def said(self, name: str, line: str) -> None:
        """It wrote a line (with its end) to stderr."""

    def opened(self, child: Child) -> None:
        """Its crawl is open."""

    def ended(self, child: Child, status: int) -> None:
        """It is dead, and has been waited for; ``status`` below 0 is the signal that killed it."""


class Child:
    """One worker process. ``identity`` is its name on the server, used once; ``name`` is what people read.

    ``blame`` is the file in which it keeps which request's callback runs. ``began``: when it was started, in seconds
    of the reactor's clock.
    """

    def __init__(self, reactor: ReactorBase, name: str, identity: str, blame: Path, *, hearing: Hearing) -> None:
        self.name = name
        self.identity = identity
        self.blame = blame
        self.began = reactor.seconds()
        self.open = False
        self._reactor = reactor
        self._hearing = hearing
        self._process: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        return f"<Child {self.name} {self._process and self._process.pid}>"

    @property
    def pid(self) -> int:
        """The number of its process; 0 before there is one."""
        return self._process.pid if self._process is not None else 0

    def start(self, command: Sequence[str], environment: Mapping[str, str], instructions: bytes) -> None:
        """Start the process, and send it its instructions, one line; raises OSError."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                command, stdin=theirs.fileno(), stderr=subprocess.PIPE, env=environment, process_group=0
            )
        reader = threading.Thread(target=self._read, args=(self._process,), name=f"stderr of {self.name}", daemon=True)
        reader.start()
        line = (ours, instructions)
        threading.Thread(target=self._talk, args=line, name=f"line to {self.name}", daemon=True).start()
        waiting = (self._process, reader)
        threading.Thread(target=self._wait, args=waiting, name=f"end of {self.name}", daemon=True).start()

    def blamed(self) -> int:
        """Return the token of the request whose callback ran when the process died, 0 if none did."""
        with suppress(OSError):
            return blamed(self.blame)
        return 0

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it still lives."""
        if self._process is not None:
            self._process.send_signal(number)

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        with process.stderr as stream:
            for line in stream:
                text = line.decode("utf-8", "backslashreplace")
                self._tell(self._hearing.said, self.name, text if text.endswith("\n") else f"{text}\n")

    def _talk(self, ours: socket.socket, instructions: bytes) -> None:
        with ours, suppress(OSError):
            ours.sendall(instructions + b"\n")
            while said := ours.recv(1):
                if said == OPEN:
                    self._tell(self._opened)

    def _opened(self) -> None:
        self.open = True
        self._hearing.opened(self)

    def _wait(self, process: subprocess.Popen[bytes], reader: threading.Thread) -> None:
        status = process.wait()
        reader.join(LAST_WORDS_SECONDS)
        self._tell(self._hearing.ended, self, status)

    def _tell(self, call: Callable[..., None], *arguments: object) -> None:
        self._reactor.callFromThread(call, *arguments)
