"""Makes small disks for tests: a tmpfs with a file in it that leaves little room."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

MEGABYTES = 64


class SmallDisk:
    """A mounted disk with ``room`` free bytes until ``free()``; use it as a context manager. Needs root."""

    def __init__(self, folder: Path, room: int) -> None:
        self.folder = folder
        self._room = room
        self._ballast = folder / "ballast"

    @staticmethod
    def problem() -> str | None:
        """Say why there can be none here."""
        return None if os.geteuid() == 0 and Path("/proc/mounts").exists() else "mounting a disk needs root, on Linux"

    def __enter__(self) -> SmallDisk:
        self.folder.mkdir()
        options = f"size={MEGABYTES}m,mode=700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "small", self.folder], check=True, timeout=30)
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, MEGABYTES * 2**20 - self._room)
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "-l", self.folder], check=True, timeout=30)

    def free(self) -> None:
        """Make room."""
        self._ballast.unlink()

    def read_only(self) -> None:
        """Let nothing be written any more."""
        subprocess.run(["mount", "-o", "remount,ro", self.folder], check=True, timeout=30)
