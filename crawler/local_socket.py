"""How does a program listen at a port, or on a Unix socket that its user alone may connect to?"""

from __future__ import annotations

import os
import socket
import stat
from errno import EADDRINUSE, EADDRNOTAVAIL
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError

from crawler.errors import UsageError

LONGEST = 107
"""Bytes of a path that fit into a socket's address (unix(7))."""


def listen_on(reactor: Any, host: str, port: int, factory: Any, *, name: str) -> Any:
    """Listen at a port of an address, 0 for any that is free; return what Twisted calls the port.

    Raises UsageError that begins with ``name``, the setting of the port, or with that of the host if it is at fault:
    they end in PORT and in HOST.
    """
    try:
        return reactor.listenTCP(port, factory, interface=host)
    except CannotListenError as error:
        why = error.socketError
        said = f"cannot be listened on: {getattr(why, 'strerror', None) or why}"
        if getattr(why, "errno", None) == EADDRINUSE:
            said = "is in use by another program; take another, or 0 for any that is free"
        if getattr(why, "errno", None) == EADDRNOTAVAIL:
            its = name.removesuffix("PORT") + "HOST"
            raise UsageError(f"{its}: {host} is no address of this machine; 127.0.0.1 always is") from error
        raise UsageError(f"{name}: port {port} of {host} {said}") from error


def listen_at(reactor: Any, path: str, factory: Any, *, name: str) -> Any:
    """Listen at a path, in the place of a socket that a killed process left there; return the port.

    Raises UsageError that begins with ``name``, a setting's. Its mode is 0600 before anybody can connect: a socket that
    is bound refuses that until it listens.
    """
    if problem := _problem(path):
        raise UsageError(f"{name}: {path} {problem}")
    try:
        return reactor.listenUNIX(path, factory, mode=0o600)
    except (CannotListenError, OSError) as error:
        raise UsageError(f"{name}: {path} cannot be listened on: {getattr(error, 'socketError', error)}") from error


def stop_at(path: str, port: Any) -> Deferred[Any]:
    """Listen no longer; the socket's file is gone then."""
    if not os.path.lexists(path):
        Path(path).touch()  # somebody has removed it, and Twisted's port would not close without
    return maybeDeferred(port.stopListening)


def _problem(path: str) -> str:
    if len(os.fsencode(path)) > LONGEST:
        return f"is too long for a socket: {LONGEST} bytes are the most"
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return "" if Path(path).absolute().parent.is_dir() else "is in a folder that is not there"
    except OSError as error:
        return f"cannot be looked at: {error.strerror}"
    if not stat.S_ISSOCK(mode):
        return "is a file that is no socket; take another path"
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1.0)
        try:
            client.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink(missing_ok=True)  # nobody listens: its process was killed
            return ""
        except OSError as error:
            return f"cannot be tried: {error}"
    return "is in use by another program; take another path"
