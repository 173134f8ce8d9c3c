"""Which table of which database does a feed's URI mean?

``postgresql://USER@HOST/DATABASE?table=NAME&schema=NAME&key=COLUMN`` (what else stands behind the ``?`` is libpq's,
as in its manual, "Connection URIs") and ``sqlite:///FILE?table=NAME&key=COLUMN`` (four slashes: from the root).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, unquote_plus, urlsplit

from crawler.errors import OutputError
from crawler.feeds.names import instead
from crawler.model.masking import HIDDEN

POSTGRES = ("postgresql", "postgres")
_OURS = ("table", "schema", "key")


class Place(NamedTuple):
    """A table. ``server``: what libpq connects to, or SQLite's file. ``key``: the columns that tell rows apart."""

    server: str
    table: str
    schema: str = ""
    key: tuple[str, ...] = ()
    sqlite: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """A table, the columns of its key, SQLite's file, and the item classes that are known before the first item."""

    table: str
    key: Sequence[str] = ()
    file: Path | None = None
    kinds: Collection[type] = ()


class Origin(NamedTuple):
    """What a mark in the database shows of where its rows are from: the spider's name, when its crawl began."""

    spider: str = ""
    began: str = ""


def is_database(uri: str) -> bool:
    """Tell whether a feed's name is that of a table."""
    return uri.partition("://")[0].lower() in (*POSTGRES, "sqlite")


def read_place(feed: str, uri: str, key: str | list[str] | None) -> Place:
    """Take a URI apart; ``key`` is the feed's option. Raises OutputError."""
    head, _, query = uri.partition("?")
    scheme, _, rest = head.partition("://")
    ours: dict[str, str] = {}
    theirs = []
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        if name in _OURS:
            ours[name] = ",".join(filter(None, (ours.get(name), unquote_plus(value))))
        else:
            theirs.append(part)
    sqlite = scheme.lower() == "sqlite"
    _refuse(feed, theirs, sqlite, ours)
    columns = (key,) if isinstance(key, str) else tuple(key or filter(None, ours.get("key", "").split(",")))
    if sqlite:
        if not rest.startswith("/") or len(rest) < 2:
            raise OutputError(f"feed {feed!r}: a file is written sqlite:///FILE, one from the root sqlite:////FILE")
        return Place(unquote(rest[1:]), ours["table"], "", columns, sqlite=True)
    server = f"{scheme.lower()}://{rest}" + (f"?{'&'.join(theirs)}" if theirs else "")
    return Place(server, ours["table"], ours.get("schema", ""), columns)


def _refuse(feed: str, theirs: list[str], sqlite: bool, ours: dict[str, str]) -> None:
    for part in theirs:
        name = part.partition("=")[0]
        if name.lower() in ("password", "sslpassword"):
            hidden = feed.replace(part, f"{name}={HIDDEN}")
            raise OutputError(
                f"feed {hidden!r}: the password is shown there; it belongs into the environment (PGPASSWORD), into "
                "~/.pgpass, or behind the user's name, USER:PASSWORD@HOST"
            )
        if sqlite:
            raise OutputError(f"feed {feed!r}: unknown parameter {name!r}{instead(name, ('table', 'key'))}")
    if sqlite and "schema" in ours:
        raise OutputError(f"feed {feed!r}: SQLite has no schemas; schema= is for PostgreSQL")
    if not ours.get("table"):
        raise OutputError(f"feed {feed!r}: it names no table; write ?table=items behind it")


def host_of(server: str) -> str:
    """Return what of a server messages show."""
    parts = urlsplit(server)
    return f"{parts.netloc.rpartition('@')[2] or 'this machine'}{parts.path}"
