"""What holds for one fetch: which time and size does it want, and may it go out once more by itself?

Times and sizes are those of its meta or else of the settings. 0 is no limit. A value of None in meta is as if the key
were not there.

A connection that lay idle may be closed by the peer at any time, also while a request is on its way to it: that
says nothing of the request, so it is sent once more, on a new connection. Not twice, and not one that may have
been acted upon already and does more than it says when it is done again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crawler.config.schema import CoreSettings
from crawler.errors import FetchError, NotBegun
from crawler.model.request import Request

CUT = "download_cut"
"""The meta key with which a body above its limit is cut there, with the flag "stopped", and no error."""

# RFC 9110 section 9.2.2: repeating one of these does what doing it once does.
_SAFE_TO_REPEAT = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"))


class FetchRules:
    """What the settings say about every fetch (names and units: CoreSettings)."""

    __slots__ = (
        "decode",
        "fail_on_dataloss",
        "max_size",
        "may_repeat",
        "may_send",
        "spool_size",
        "timeout",
        "warn_size",
    )

    def __init__(self, settings: CoreSettings) -> None:
        self.decode = settings.COMPRESSION_ENABLED
        self.fail_on_dataloss = settings.DOWNLOAD_FAIL_ON_DATALOSS
        self.max_size = settings.DOWNLOAD_MAXSIZE
        self.spool_size = settings.DOWNLOAD_SPOOL_SIZE
        self.timeout = settings.DOWNLOAD_TIMEOUT
        self.warn_size = settings.DOWNLOAD_WARNSIZE
        self.may_repeat: Callable[[Request], bool] = lambda request: True
        self.may_send: Callable[[], bool] | None = None  # asked before the first byte of each request; None: always

    def check_may_send(self) -> None:
        """Raise NotBegun if this process may send nothing now."""
        if self.may_send is not None and not self.may_send():
            raise NotBegun("the lease of this process is nearly over, so nothing was sent", sent=False)


def seconds_of(meta: dict[str, Any], setting: float) -> float:
    """Return the total seconds a fetch may take: meta ``download_timeout`` or DOWNLOAD_TIMEOUT."""
    given = meta.get("download_timeout")
    return setting if given is None else float(given)


def max_size_of(meta: dict[str, Any], setting: int) -> int:
    """Return the bytes a body may have: meta ``download_maxsize`` or DOWNLOAD_MAXSIZE."""
    given = meta.get("download_maxsize")
    return setting if given is None else int(given)


def may_go_out_again(method: str, error: FetchError, *, stale: bool, repeated: bool, streamed: bool) -> bool:
    """Tell whether the rule allows it. ``stale``: the connection was used before, and closed without a byte.

    ``streamed``: the body comes from a producer, which has been read.
    """
    return stale and not repeated and not streamed and (method in _SAFE_TO_REPEAT or not error.sent)
