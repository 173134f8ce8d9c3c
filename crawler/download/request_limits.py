"""Which time and size does one request want, by its meta or else by the settings?

0 is no limit. A value of None in meta is as if the key were not there.
"""

from __future__ import annotations

from typing import Any

CUT = "download_cut"
"""The meta key with which a body above its limit is cut there, with the flag "stopped", and no error."""


def seconds_of(meta: dict[str, Any], setting: float) -> float:
    """Return the total seconds a fetch may take: meta ``download_timeout`` or DOWNLOAD_TIMEOUT."""
    given = meta.get("download_timeout")
    return setting if given is None else float(given)


def max_size_of(meta: dict[str, Any], setting: int) -> int:
    """Return the bytes a body may have: meta ``download_maxsize`` or DOWNLOAD_MAXSIZE."""
    given = meta.get("download_maxsize")
    return setting if given is None else int(given)
