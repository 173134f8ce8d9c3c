"""As which client does a request go out?

A session is a cookie jar, a proxy and a set of header fields that belong together, as those of one
visitor do. There are SESSIONS of them; requests take turns, or name one by meta ``session``. When a site
blocks a session (SESSION_BLOCKED_CODES) all of it is thrown away together and another takes its place.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from crawler.config.schema import CoreSettings
from crawler.download.middleware.chain import Fetch, as_answer_to
from crawler.download.middleware.cookies.middleware import Cookies
from crawler.download.middleware.proxy_pool import ProxyPool
from crawler.errors import SessionBlocked
from crawler.model.request import Request
from crawler.model.response import Response

_MOST_NAMED = 10_000


class Session:
    """One visitor: ``jar`` names its cookie jar, which also holds its proxy in place."""

    __slots__ = ("headers", "jar", "uses")

    def __init__(self, number: int, headers: dict[str, str]) -> None:
        self.jar = ("session", number)
        self.headers = headers
        self.uses = 0

    def __repr__(self) -> str:
        return f"<Session {self.jar[1]} uses={self.uses}>"


class Sessions:
    """The pool. A session that is thrown away loses its cookies and its hold on a proxy.

    A blocked answer raises SessionBlocked, so that the request is tried again in another session, as long
    as the request has tries left; the last answer is the response. A name given by ``session`` stays with
    one session until that is blocked. robots.txt is fetched outside of sessions.
    """

    def __init__(
        self, settings: CoreSettings, cookies: Cookies | None = None, proxies: ProxyPool | None = None
    ) -> None:
        self._size = settings.SESSIONS
        self._identities = settings.SESSION_IDENTITIES
        self._blocked = frozenset(settings.SESSION_BLOCKED_CODES)
        self._max_uses = settings.SESSION_MAX_USES
        self._tries = settings.RETRY_TIMES if settings.RETRY_ENABLED else 0
        self._cookies = cookies
        self._proxies = proxies
        self._made = 0
        self._sessions: OrderedDict[Hashable, Session] = OrderedDict()
        self._turn = 0

    async def __call__(self, request: Request, fetch: Fetch) -> Response:
        """Send the request as one of the sessions."""
        if "robots" in request.meta:
            return await fetch(request)
        # Kept in the request's own meta, so that its redirects stay in the same session.
        name = request.meta.setdefault("session", self._next_name())
        session = self.session(name)
        session.uses += 1
        headers = request.headers.copy()
        headers.update(session.headers)
        sent = request.replace(headers=headers, meta={**request.meta, "cookiejar": session.jar})
        response = as_answer_to(request, sent, await fetch(sent))
        if response.status in self._blocked:
            self.throw_away(name, session)
            if self._has_tries(request):
                message = f"the session was blocked with status {response.status} and is thrown away"
                raise SessionBlocked(message, request=request)
        elif self._max_uses and session.uses >= self._max_uses:
            self.throw_away(name, session)
        return response

    def _next_name(self) -> int:
        self._turn = (self._turn + 1) % self._size
        return self._turn

    def _has_tries(self, request: Request) -> bool:
        meta = request.meta
        if meta.get("dont_retry"):
            return False
        return int(meta.get("retry_times", 0)) < int(meta.get("max_retry_times", self._tries))

    def session(self, name: Hashable) -> Session:
        """Return the session of a name; a new one if it has none."""
        session = self._sessions.get(name)
        if session is None:
            identity = self._identities[self._made % len(self._identities)] if self._identities else {}
            self._made += 1
            session = self._sessions[name] = Session(self._made, identity)
            if len(self._sessions) > _MOST_NAMED + self._size:
                oldest = next(iter(self._sessions))
                self.throw_away(oldest, self._sessions[oldest])
        return session

    def throw_away(self, name: Hashable, session: Session) -> None:
        """End a session with its cookies and its hold on a proxy; a late answer ends no other one."""
        if self._sessions.get(name) is session:
            del self._sessions[name]
        if self._cookies is not None:
            self._cookies.forget(session.jar)
        if self._proxies is not None:
            self._proxies.forget(session.jar)
