"""Tells the site which process asks, and when it decided to, so that its log can be held against what was done."""

import os
import time
from collections.abc import Awaitable, Callable

from crawler import Request, Response


class SaysWho:
    """Add ``X-Worker``, the number of this process, and ``X-Sent``, the time of the machine's clock that all share."""

    async def __call__(self, request: Request, fetch: Callable[[Request], Awaitable[Response]]) -> Response:
        self.before(request)
        return await fetch(request)

    def before(self, request: Request) -> bool:
        """Set it anew each time: what is sent again may be sent by another."""
        request.headers["X-Worker"] = str(os.getpid())
        request.headers["X-Sent"] = f"{time.monotonic():.6f}"
        return True
