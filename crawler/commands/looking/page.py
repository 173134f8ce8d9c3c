"""What does a crawl say of itself that runs with --status? Its page is asked, as its token file in JOB_DIR says.

A file that a killed process has left behind names a page that does not answer.
"""

from __future__ import annotations

import socket
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from crawler.commands.looking.looked import Reading
from crawler.observe.board.shown import ErrorKind, FeedRow, HostPage, Item, Now, Series, Setting, Slow, Worker
from crawler.storage.jobs import status_file

PATIENCE_SECONDS = 3.0


class NoAnswer(Exception):
    """There is no page, or it does not answer."""


class Page(Struct, frozen=True):
    """Where a crawl's page is, by TCP or at a Unix ``socket``, and what opens it; ``url`` has its token."""

    url: str
    token: str
    socket: str | None = None

    @property
    def shown(self) -> str:
        """The URL without its token."""
        return self.url.partition("?")[0]


def page_of(job_dir: str | Path, name: str) -> Page | None:
    """Return where the page of a job is; None if it has none."""
    try:
        return msgspec.json.decode(status_file(Path(job_dir), name).read_bytes(), type=Page)
    except (OSError, msgspec.MsgspecError):
        return None


class PageReader:
    """Reads what a page shows."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def __repr__(self) -> str:
        return f"<PageReader {self._page.shown}>"

    def __call__(self) -> Reading:
        """Return all that it shows, of its hosts the first. Raises NoAnswer."""
        with closing(_connection(self._page)) as connection:
            self._connection = connection
            return Reading(
                now=self._get("now", Now),
                series=self._get("series", Series),
                hosts=self._get("hosts", HostPage).rows,
                errors=self._get("errors", list[ErrorKind]),
                items=self._get("items", list[Item]),
                slow=self._get("slow", list[Slow]),
                settings=self._get("settings", list[Setting]),
                feeds=self._get("feeds", list[FeedRow]),
                workers=self._get("workers", list[Worker]),
            )

    def _get(self, name: str, kind: Any) -> Any:
        try:
            self._connection.request("GET", f"/api/{name}", headers={"Authorization": f"Bearer {self._page.token}"})
            answer = self._connection.getresponse()
            data = answer.read()
        except (OSError, HTTPException) as error:
            raise NoAnswer(f"the page {self._page.shown} does not answer: {error}") from error
        if answer.status != 200:
            raise NoAnswer(f"the page {self._page.shown} answers {answer.status} to api/{name}")
        try:
            return msgspec.json.decode(data, type=kind)
        except msgspec.MsgspecError as error:
            raise NoAnswer(f"the page {self._page.shown} is of another version: {error}") from error


class _UnixConnection(HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=PATIENCE_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_SECONDS)
        self.sock.connect(self._path)


def _connection(page: Page) -> HTTPConnection:
    if page.socket is not None:
        return _UnixConnection(page.socket)
    parts = urlsplit(page.url)
    return HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=PATIENCE_SECONDS)
