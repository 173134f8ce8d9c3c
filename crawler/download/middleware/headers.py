"""Which header fields does a request get that its spider did not set, and who are we to its origin?

Credentials belong to one origin (scheme, host, port) and are sent to no other. They come from the
request (meta ``auth``, or user information in its URL) or from the setting HTTP_AUTH. Basic (RFC 7617) is
sent at once; Digest (RFC 7616) once the origin has asked for it, and then with every request to it.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable

from crawler.config.holds import origin
from crawler.config.schema import CoreSettings
from crawler.download.middleware.chain import Fetch
from crawler.download.middleware.digest import Challenge, challenge_in
from crawler.errors import InvalidRequest
from crawler.model.fields import Credentials
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import credentials_of, is_http, split

_MOST_ORIGINS = 1000
"""How many origins' challenges are remembered."""

# The second request of a Digest login is judged by whoever sent the first.
_AS_IT_IS = {"handle_httpstatus_all": True, "dont_redirect": True, "dont_retry": True}


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
        self._has_credentials = len(self._harmless) < len(self._defaults)

    async def __call__(self, request: Request, fetch: Fetch) -> Response:
        """Send the request with the defaults."""
        self.before(request)
        return await fetch(request)

    def before(self, request: Request) -> bool:
        """See chain.Middleware: what is missing is filled in, what is set stays, and that is all."""
        harmless = self._has_credentials and "robots" in request.meta
        request.headers.fill(self._harmless if harmless else self._defaults)
        return True


class Authentication:
    """Basic and Digest. meta ``auth`` is (user, password), "user:password", or "digest:user:password"
    for an origin that must never be sent the password itself; None sends nothing."""

    def __init__(self, settings: CoreSettings, *, random: Callable[[], str] = lambda: secrets.token_hex(8)) -> None:
        self._by_origin = {origin(name): _credentials(value) for name, value in settings.HTTP_AUTH.items()}
        self._random = random
        self._challenges: OrderedDict[tuple[str, str], Challenge] = OrderedDict()

    async def __call__(self, request: Request, fetch: Fetch) -> Response:
        """Send the request with its origin's credentials."""
        found = self._found(request)
        if found is None:
            return await fetch(request)
        username, password, digest_only = found
        known = self._challenges.get((request.origin, username))
        if known is None and not digest_only:
            value: bytes | None = b"Basic " + b64encode(f"{username}:{password}".encode())
        else:
            value = self._answer(known, request, username, password)
        response = await fetch(_with(request, value))
        challenge = self._next_challenge(response, known)
        if challenge is not None:
            self._remember(request.origin, username, challenge)
            again = _with(request, self._answer(challenge, request, username, password))
            response = await fetch(again.replace(meta={**again.meta, **_AS_IT_IS, "auth": None}, dont_filter=True))
        response.request = request
        return response

    def before(self, request: Request) -> bool:
        """See chain.Middleware: most requests have no credentials, which is asked first of what costs nothing."""
        if not self._by_origin and "@" not in request.normal_url and "auth" not in request.meta:
            return True
        return self._found(request) is None

    def user_of(self, request: Request) -> tuple[str, str] | None:
        """Return the credentials a request will be sent with, by setting, meta or URL."""
        found = None if self.before(request) else self._found(request)
        return None if found is None else found[:2]

    def _found(self, request: Request) -> tuple[str, str, bool] | None:
        if "robots" in request.meta or b"Authorization" in request.headers or not is_http(request.normal_url):
            return None
        if "auth" in request.meta:
            given = request.meta["auth"]
            return None if given is None else _credentials(given)
        if (of_url := credentials_of(request.normal_url)) is not None:
            return (*of_url, False)
        return self._by_origin.get(request.origin) if self._by_origin else None

    def _answer(self, challenge: Challenge | None, request: Request, username: str, password: str) -> bytes | None:
        if challenge is None:
            return None
        parts = split(request.normal_url)
        target = parts.path if parts.query is None else f"{parts.path}?{parts.query}"
        return challenge.answer(request.method, target, username, password, cnonce=self._random())

    def _next_challenge(self, response: Response, known: Challenge | None) -> Challenge | None:
        if response.status != 401:
            return None
        challenge = challenge_in(response.headers.getlist(b"WWW-Authenticate"))
        # The same answer would be refused again, unless only the nonce has grown old.
        if challenge is None or (known is not None and not challenge.stale and challenge.nonce == known.nonce):
            return None
        return challenge

    def _remember(self, origin: str, username: str, challenge: Challenge) -> None:
        self._challenges[origin, username] = challenge
        self._challenges.move_to_end((origin, username))
        if len(self._challenges) > _MOST_ORIGINS:
            self._challenges.popitem(last=False)


def _with(request: Request, value: bytes | None) -> Request:
    if value is None:
        return request
    headers = request.headers.copy()
    headers[b"Authorization"] = value
    changed: Request = request.replace(headers=headers)
    return changed


def _credentials(given: Credentials) -> tuple[str, str, bool]:
    digest_only = False
    if isinstance(given, str):
        digest_only = given.startswith("digest:")
        username, _, password = given.removeprefix("digest:").partition(":")
        return username, password, digest_only
    if isinstance(given, tuple | list) and len(given) == 2:
        return str(given[0]), str(given[1]), False
    raise InvalidRequest(f'auth must be (user, password) or "user:password", got {type(given).__name__}')
