"""Who may ask the status page what?

It is on a socket that every program and every user of the machine can reach, and every page in the user's browser can
send requests to it. So: what is in Host has to be what is served here (a name that somebody points to 127.0.0.1, DNS
rebinding, is not); what is in Origin and Sec-Fetch-Site has to be this page; who asks has to know the token; and what
acts has to come from a form that was read here.

The cookie is signed (HMAC) with a key of this run, so nothing is kept for a session, and it is worth nothing later:
browsers send it to whoever has the port next.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from hashlib import sha256

from crawler.status.asked import Asked, Refused

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
SAFE = frozenset({"GET", "HEAD"})

_NO_TOKEN = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Status page: the token is missing</title>
<h1>The token is missing</h1><p>Open the whole address that the crawl has printed; it ends in <code>?token=…</code>.
If you have just followed it from another page, <a href="/">go on here</a>.</p></html>
""".encode()


class Guard:
    """Who may ask. ``port``: at which the page is served, None for a Unix socket, which browsers reach through a tunnel
    whose port is its own; ``hosts``: by what names beside the loopback ones, as in a Host header."""

    def __init__(self, token: str, *, port: int | None, hosts: Iterable[str] = ()) -> None:
        self._token = token
        self._key = secrets.token_bytes()
        self._port = port
        self._hosts = LOOPBACK | {host.lower() for host in hosts}

    def allow(self, asked: Asked) -> str:
        """Return what a form of who asks has to bring, "" if no cookie let it in. Raises Refused."""
        self._check_host(asked)
        self._check_origin(asked)
        bearer = asked.header("authorization")
        if bearer[:7].lower() == "bearer " and asked.method in SAFE:
            if self._same(bearer[7:].strip(), self._token):
                return ""
            raise _wrong_token()
        if session := self._session(asked):
            return self._signed("csrf", session)
        raise Refused(
            401,
            "this needs the token of the crawl: open the whole address that it printed (it ends in ?token=…), or send "
            "the header `Authorization: Bearer TOKEN`",
            kind="a request without its token",
            headers=[("WWW-Authenticate", "Bearer")],
            page=_NO_TOKEN if asked.path == "/" else b"",
        )

    def enter(self, asked: Asked) -> str:
        """Return the cookie for who opened the printed address. Raises Refused for another token."""
        self._check_host(asked)
        if not self._same(asked.query["token"], self._token):
            raise _wrong_token()
        session = secrets.token_urlsafe(16)
        name = self._cookie(asked)
        return f"{name}={session}.{self._signed('cookie', session)}; HttpOnly; SameSite=Strict; Path=/"

    def check_form(self, right: str, csrf: str) -> None:
        """Check that a form was read here: ``right`` is what ``allow`` returned. Raises Refused."""
        if not right or not self._same(csrf, right):
            raise Refused(
                403,
                "this form has no CSRF token of this session: load the page again",
                kind="a form without its CSRF token",
            )

    def _check_host(self, asked: Asked) -> None:
        host = asked.header("host").lower()
        name, port = _split(host)
        known = name in self._hosts or (name and name.strip("[]") == asked.local)
        if not known or self._port not in (None, port):
            raise Refused(
                421,
                f"this page is not served as {host[:100] or 'a request without Host'}: open the address that the crawl "
                "printed; a tunnel has to have its port, a proxy has to send its Host",
                kind="a foreign Host",
                detail=host,
            )

    def _check_origin(self, asked: Asked) -> None:
        """Every browser of today says Sec-Fetch-Site; older ones say Origin at least where something acts."""
        origin, site = asked.header("origin"), asked.header("sec-fetch-site")
        ours = {f"{scheme}://{asked.header('host')}".lower() for scheme in ("http", "https")}
        foreign = origin.lower() not in ours if origin else asked.method not in SAFE and not site
        # A link may lead to the page from elsewhere: that it is followed shows and does nothing.
        if foreign or (site not in ("", "same-origin", "none") and not _is_opened(asked)):
            raise Refused(
                403,
                "this is answered to the page itself only, not to another site",
                kind="a foreign Origin",
                detail=origin or site,
            )

    def _session(self, asked: Asked) -> str:
        # Not http.cookies: it reads no cookie once another program's on this machine is malformed.
        cookies = (cookie.strip().partition("=") for cookie in asked.header("cookie").split(";"))
        name = self._cookie(asked)
        value = next((value for each, _, value in cookies if each == name), "")
        session, _, signed = value.partition(".")
        return session if self._same(signed, self._signed("cookie", session)) else ""

    def _cookie(self, asked: Asked) -> str:
        return f"crawler-{_split(asked.header('host'))[1]}"  # cookies know no ports: each crawl has its own

    def _signed(self, what: str, session: str) -> str:
        return hmac.new(self._key, f"{what} {session}".encode(), sha256).hexdigest()

    @staticmethod
    def _same(given: str, right: str) -> bool:
        return hmac.compare_digest(given.encode(errors="replace"), right.encode())


def _is_opened(asked: Asked) -> bool:
    return asked.path == "/" and asked.method in SAFE and asked.header("sec-fetch-mode") == "navigate"


def _split(host: str) -> tuple[str, int]:
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        return host, 80
    return name, int(port) if port.isascii() and port.isdigit() and len(port) < 6 else 0


def _wrong_token() -> Refused:
    return Refused(
        403, "this is not the token of the crawl: open the address that it printed", kind="a request with a wrong token"
    )
