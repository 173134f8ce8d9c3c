"""How is a Unix socket reached whose path is long, and who is at its other end?

The address of a socket holds 107 bytes (unix(7)). What has a longer path has a short one as soon as it is open:
/proc/self/fd/N (proc(5)).
"""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

from crawler.local_socket import LONGEST

_DESCRIPTORS = Path("/proc/self/fd")


class Near:
    """A file or folder, and ``path``, a short one of it until ``leave``. Raises OSError."""

    def __init__(self, path: Path, *, room: int = 0) -> None:
        """``room``: so many bytes are to be put behind it."""
        self.path = path
        self._descriptor: int | None = None
        if len(os.fsencode(path)) + room > LONGEST and _DESCRIPTORS.is_dir():
            # By O_PATH a socket can be opened, too.
            self._descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            self.path = _DESCRIPTORS / str(self._descriptor)

    def leave(self) -> None:
        """Close what was opened for it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def connected(path: Path) -> socket.socket:
    """Return a socket that is connected with the one that listens at a path. Raises OSError."""
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        near = Near(path)
        try:
            peer.connect(str(near.path))
        finally:
            near.leave()
    except BaseException:
        peer.close()
        raise
    return peer


def user_at(peer: socket.socket) -> int:
    """Return the number of the user whose process is at the other end (unix(7), SO_PEERCRED)."""
    if not hasattr(socket, "SO_PEERCRED"):  # not on Linux: the mode of the file has said it
        return os.geteuid()
    _pid, uid, _gid = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(uid)
