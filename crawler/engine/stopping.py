"""For which reason does a crawl end that cannot keep what it does?"""

from __future__ import annotations

from crawler.errors import FeedError, LocalFailure, OutputClosed, StoreError

FAILURES = frozenset({"feed_error", "store_error", "local_failure", "internal_error"})


def reason_of(error: BaseException) -> str:
    """Return the reason that an error stands for: one of FAILURES, or "output_closed", which is none."""
    if isinstance(error, OutputClosed):
        return "output_closed"
    if isinstance(error, FeedError):
        return "feed_error"
    if isinstance(error, LocalFailure):
        return "local_failure"
    return "store_error" if isinstance(error, StoreError) else "internal_error"
