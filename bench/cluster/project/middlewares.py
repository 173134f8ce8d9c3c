"""Tells the site which process asks."""

import os
from collections.abc import Awaitable, Callable

from crawler import Request, Response


class SaysWho:
    """Add ``X-Worker``, the number of this process, to every request."""

    async def __call__(self, request: Request, fetch: Callable[[Request], Awaitable[Response]]) -> Response:
        """Send it."""
        self.before(request)
        return await fetch(request)

    def before(self, request: Request) -> bool:
        """Set it anew each time: what is sent again may be sent by another."""
        request.headers["X-Worker"] = str(os.getpid())
        return True
