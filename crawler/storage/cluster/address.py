"""Where is the server of JOB_STORE, and what of its URL may be shown?

A password is taken out of the URL at once and goes on beside it: command lines and what lists jobs and processes show
the URL only. Certificates are always verified; a CA of one's own is named in the URL (``ssl_ca_certs``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from crawler.config.holds import SERVER_SCHEMES
from crawler.config.schema import CoreSettings
from crawler.errors import UsageError
from crawler.model.masking import masked

PASSWORD_SETTING = "JOB_STORE_PASSWORD"
"""A setting, and a variable of the environment."""

_HOW_TO_GIVE_IT = (
    "everybody on this machine can read it there; give the URL without it, and set JOB_STORE_PASSWORD in the "
    "environment or in the project's settings"
)

_FORMS = "redis://HOST:PORT/NUMBER, rediss://HOST:PORT/NUMBER (with TLS) or unix:///PATH"
_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_LONGEST_SOCKET = 107


class Address(NamedTuple):
    """A server and the number of its database. ``url`` has no password in it, and may be shown.

    ``socket`` is the path of a Unix socket, else ``host`` and ``port`` say where it is. ``files`` are those of TLS,
    by the names that they have in the URL.
    """

    url: str
    host: str = ""
    port: int = 6379
    socket: str = ""
    tls: bool = False
    database: int = 0
    user: str | None = None
    password: str | None = None
    files: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<Address {self.url}>"


def is_url(value: object) -> bool:
    """Tell whether a JOB_STORE is the URL of a server."""
    return isinstance(value, str) and value.partition("://")[0].lower() in SERVER_SCHEMES and "://" in value


def address_of(core: CoreSettings, url: str | None = None) -> Address:
    """Return where the server of JOB_STORE is, or the one at another URL; raises UsageError.

    The password is in the URL, in the environment as JOB_STORE_PASSWORD, or in the setting of that name.
    """
    return parse(url or str(core.JOB_STORE), os.environ.get(PASSWORD_SETTING) or core.JOB_STORE_PASSWORD)


def parse(url: str, password: str | None = None) -> Address:
    """Take a URL apart; ``password`` (JOB_STORE_PASSWORD) counts if the URL has none. Raises UsageError.

    The forms are those of redis-py (and of IANA's provisional registration of "redis"): a user and a password before
    the host, the number of the database as path, for a Unix socket as ``?db=``.
    """
    shown = masked(url)
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 – raises ValueError for one that is none
    except ValueError as error:
        raise UsageError(f"JOB_STORE: {shown!r} is not a URL ({error}); the forms are {_FORMS}") from None
    if parts.scheme not in SERVER_SCHEMES:
        raise UsageError(f"JOB_STORE: {shown!r} is not the URL of a server; the forms are {_FORMS}")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    given = query.pop("password", None)
    if given is None and parts.password is not None:
        given = unquote(parts.password)
    user = query.pop("username", None) or unquote(parts.username or "") or None
    database = query.pop("db", "") or (parts.path.strip("/") if parts.scheme != "unix" else "")
    _check_query(query, parts, shown)
    if database and not (database.isascii() and database.isdigit()):
        raise UsageError(f"JOB_STORE: {shown!r}: the database is a number, not {database!r}")
    return Address(
        _without_password(parts, user, database, query),
        "" if parts.scheme == "unix" else parts.hostname or "localhost",
        parts.port or 6379,
        _socket(parts, shown) if parts.scheme == "unix" else "",
        parts.scheme == "rediss",
        int(database or 0),
        user,
        given or password or None,
        query,
    )


def has_password(url: str) -> bool:
    """Tell whether a URL has a password in it, which must then not stand on a command line."""
    if not is_url(url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return "@" in url
    return bool(parts.password) or any(name == "password" for name, _ in parse_qsl(parts.query))


def refuse_password(url: str, where: str) -> None:
    """Raise UsageError if a URL of the command line has a password in it; ``where`` names it there."""
    if has_password(url):
        raise UsageError(f"{where}: a password may not stand on a command line: {_HOW_TO_GIVE_IT}")


def refuse_passwords(settings: Mapping[str, str]) -> None:
    """Raise UsageError if settings of the command line have a password of the server in them."""
    refuse_password(settings.get("JOB_STORE", ""), "-s JOB_STORE=…")
    if settings.get(PASSWORD_SETTING):
        raise UsageError(f"-s {PASSWORD_SETTING}=…: a password may not stand on a command line: {_HOW_TO_GIVE_IT}")


def _check_query(query: dict[str, str], parts: SplitResult, shown: str) -> None:
    for name in query:
        if name not in _FILES or parts.scheme != "rediss":
            more = f", {', '.join(_FILES)}" if parts.scheme == "rediss" else ""
            verified = "; certificates are always verified" if name.startswith("ssl_") else ""
            raise UsageError(f"JOB_STORE: {shown!r} has {name!r} in its query; known are db{more}{verified}")
    for name in _FILES:
        if name in query and not Path(query[name]).is_file():
            raise UsageError(f"JOB_STORE: {name}: there is no file {query[name]!r}")
    if "ssl_keyfile" in query and "ssl_certfile" not in query:
        raise UsageError("JOB_STORE: ssl_keyfile needs ssl_certfile, the certificate that it belongs to")


def _socket(parts: SplitResult, shown: str) -> str:
    path = unquote(parts.path)
    if parts.hostname or not path.strip("/"):
        raise UsageError(
            f"JOB_STORE: {shown!r}: a Unix socket is given by its whole path, as in unix:///run/redis.sock"
        )
    if len(path.encode(errors="surrogateescape")) > _LONGEST_SOCKET:
        raise UsageError(f"JOB_STORE: {shown!r}: the path of a Unix socket has at most {_LONGEST_SOCKET} bytes")
    return path


def _without_password(parts: SplitResult, user: str | None, database: str, query: dict[str, str]) -> str:
    host = parts.netloc.rpartition("@")[2]
    name = f"{quote(user, safe='')}@" if user else ""
    more = dict(query)
    path = parts.path
    if parts.scheme == "unix":
        more |= {"db": database} if database else {}
    else:
        path = f"/{database or 0}"
    options = "&".join(f"{quote(key)}={quote(value, safe='/')}" for key, value in more.items())
    return f"{parts.scheme}://{name}{host}{path}{'?' if options else ''}{options}"
