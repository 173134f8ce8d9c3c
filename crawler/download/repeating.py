"""May a request go out once more by itself, that met a connection which the peer had closed?

A connection that lay idle may be closed by the peer at any time, also while a request is on its way to it: that
says nothing of the request, so it is sent once more, on a new connection. Not twice, and not one that may have
been acted upon already and does more than it says when it is done again.
"""

from __future__ import annotations

from crawler.errors import FetchError

# RFC 9110 section 9.2.2: repeating one of these does what doing it once does.
_SAFE_TO_REPEAT = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"))


def may_go_out_again(method: str, error: FetchError, *, stale: bool, repeated: bool, streamed: bool) -> bool:
    """Tell whether the rule allows it. ``stale``: the connection was used before, and closed without a byte.

    ``streamed``: the body comes from a producer, which has been read.
    """
    return stale and not repeated and not streamed and (method in _SAFE_TO_REPEAT or not error.sent)
