"""Which header fields does a request get that its spider did not set?"""

from __future__ import annotations

from crawler.config.schema import CoreSettings
from crawler.download.middleware.chain import Fetch
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response

_OF_A_USER = frozenset((b"authorization", b"cookie", b"proxy-authorization"))


class DefaultHeaders:
    """DEFAULT_REQUEST_HEADERS and USER_AGENT. A default of None sends nothing.

    A robots.txt request (meta ``robots``) carries no credentials, so it gets none by default either.
    """

    def __init__(self, settings: CoreSettings) -> None:
        defaults = {**settings.DEFAULT_REQUEST_HEADERS}
        if not any(name.lower() == "user-agent" for name in defaults):
            defaults["User-Agent"] = settings.USER_AGENT
        # Checked once, here: a bad name or value is an InvalidRequest at the start.
        self._defaults = Headers({name: value for name, value in defaults.items() if value not in (None, "")}).raw()
        self._harmless = [(name, value) for name, value in self._defaults if name.lower() not in _OF_A_USER]

    async def __call__(self, request: Request, fetch: Fetch) -> Response:
        """Send the request with the defaults."""
        self.fill(request)
        return await fetch(request)

    def before(self, request: Request) -> bool:
        """See chain.Middleware: the defaults are filled in, and that is all."""
        self.fill(request)
        return True

    def fill(self, request: Request) -> None:
        """Fill in what is missing; what is set stays."""
        request.headers.fill(self._harmless if "robots" in request.meta else self._defaults)
