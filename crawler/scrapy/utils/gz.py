"""What is in a gzipped body?"""

from __future__ import annotations

import struct
from gzip import GzipFile
from io import BytesIO
from typing import Any

_CHUNK = 1 << 16


def gunzip(data: bytes, *, max_size: int = 0) -> bytes:
    """Return the bytes of gzipped ones; of a file that is cut off those that came.

    Raises OSError, EOFError or struct.error where none came; ValueError above ``max_size``, which 0 leaves open.
    """
    file, made = GzipFile(fileobj=BytesIO(data)), BytesIO()
    while True:
        try:
            chunk = file.read1(_CHUNK)
        except (OSError, EOFError, struct.error):
            if not made.tell():
                raise
            break
        if not chunk:
            break
        made.write(chunk)
        if max_size and made.tell() > max_size:
            raise ValueError(f"more than {max_size} bytes came out of {len(data)} gzipped ones")
    return made.getvalue()


def gzip_magic_number(response: Any) -> bool:
    """Tell whether a body begins as gzipped ones do (RFC 1952 §2.3.1)."""
    return bool(response.body[:3] == b"\x1f\x8b\x08")
