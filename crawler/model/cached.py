"""What is kept of an answer, so that it can be given again?"""

from __future__ import annotations

from msgspec import Struct


class CachedPage(Struct, array_like=True):
    """A kept answer; its body is decoded. ``vary`` names the request fields it depends on, ``said`` is what
    the request said there; ``sent`` and ``received`` are seconds of the wall clock. Until ``fresh_until`` it
    answers a request that wants nothing special of caches; 0: that must be looked at."""

    url: str
    status: int
    headers: list[tuple[bytes, bytes]]
    sent: float
    received: float
    vary: list[bytes] = []
    said: list[list[bytes] | None] = []
    protocol: str | None = None
    reason: str = ""
    body: bytes = b""
    fresh_until: float = 0.0
