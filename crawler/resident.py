"""How much memory does this process use, and how is that said?"""

from __future__ import annotations

import os
import resource
import sys

MEBIBYTE = 2**20

_PAGE = resource.getpagesize()


def resident_bytes() -> int:
    """Return the bytes that the process has in memory; where the system does not say, the most that it has had."""
    try:
        descriptor = os.open("/proc/self/statm", os.O_RDONLY)
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    try:
        return int(os.read(descriptor, 100).split()[1]) * _PAGE
    finally:
        os.close(descriptor)


def mebibytes(size: int) -> str:
    """Return bytes for people: ``812 MiB``."""
    return f"{round(size / MEBIBYTE):,} MiB"
