"""What does a user read when a feed cannot be written?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from crawler.errors import FeedError, OutputError
from crawler.feeds.outfile import NotAsMarked


@contextmanager
def named_errors(
    feed: str, path: str, kind: type[OutputError] | type[FeedError], failed: Callable[[], None]
) -> Iterator[None]:
    """Turn whatever goes wrong inside into an error of ``kind`` that names feed and file; ``failed`` is called first."""
    try:
        yield
    except OutputError:
        raise
    except Exception as error:
        failed()
        if isinstance(error, FeedError):
            raise
        reason = (isinstance(error, OSError) and error.strerror) or error
        if isinstance(error, NotAsMarked):
            reason = f"it cannot be continued: {error}"
        elif kind is OutputError and isinstance(error, ValueError):
            reason = f"it cannot be appended to: it {error}"
        raise kind(f"feed {feed!r}: {path}: {reason}") from error
