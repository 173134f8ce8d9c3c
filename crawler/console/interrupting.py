"""How does Ctrl-C end code that holds the reactor, which alone would hear of it?

A thread looks at what has come by the console's socket and is not read yet. If that is an interrupt, or the other side
has gone, it has the interpreter raise KeyboardInterrupt in the code. Code in C that does not come back is out of reach.
"""

from __future__ import annotations

import ctypes
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from crawler.console import spoken

_PATIENCE_SECONDS = 0.2
_INTERRUPT = msgspec.json.encode(spoken.Interrupted())


@contextmanager
def interruptible(peer: socket.socket) -> Iterator[None]:
    """Raise KeyboardInterrupt in what runs within, if ``peer`` says so for longer than the patience of 0.2 s."""
    over = threading.Event()
    only_one = threading.Lock()
    thread = threading.get_ident()

    def look() -> None:
        while not over.wait(_PATIENCE_SECONDS):
            if not _says_so(peer):
                continue
            with only_one:
                if not over.is_set():
                    _interrupt(thread)
            return

    threading.Thread(target=look, name="console interrupts", daemon=True).start()
    try:
        yield
    finally:
        try:
            with only_one:
                over.set()
            for _ in range(2):  # one that is late is raised at a turn of this loop, and hits nothing of the crawl
                pass
        except KeyboardInterrupt:
            over.set()


def _says_so(peer: socket.socket) -> bool:
    try:
        if not select.select([peer], [], [], 0)[0]:
            return False
        data = peer.recv(spoken.MOST_BYTES, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except (OSError, ValueError):
        return True
    return not data or _INTERRUPT in data


def _interrupt(thread: int) -> None:
    """Have the interpreter raise KeyboardInterrupt in a thread (C API, PyThreadState_SetAsyncExc).

    It is never asked to forget one: Python 3.11 would look for it at each call from then on, at a traced one for ever.
    """
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(KeyboardInterrupt))
