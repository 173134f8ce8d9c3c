"""Where does a status page listen, how is that told, and how does it end?

On a port of the loopback interface or on a Unix socket, whose address and token are told to the user alone: on stderr,
and in a file of mode 0600 beside the job, for other commands of the same user. The log hears where it is, not how to
get in.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import json
from twisted.internet.defer import maybeDeferred

from crawler.errors import UsageError
from crawler.local_socket import listen_at, listen_on, stop_at
from crawler.status.asked import Routes
from crawler.status.channel import Site
from crawler.status.complaints import Complaints
from crawler.status.guard import Guard
from crawler.status.pages import Pages
from crawler.storage.private import write_private_file

if TYPE_CHECKING:
    from twisted.internet.tcp import Port

logger = logging.getLogger("crawler.status")

_is_token = re.compile(r"[A-Za-z0-9._~-]{16,}").fullmatch  # as it stands in a URL; fewer characters can be guessed


class Place(NamedTuple):
    """Where it listens: ``port`` 0 is any that is free; ``socket`` is the path of a Unix socket, in their place."""

    host: str = "127.0.0.1"
    port: int = 0
    socket: str | None = None


class StatusServer:
    """The server of one status page. ``reactor`` listens and keeps time; ``token`` None: one is made.

    ``file``: in which the address is left for other commands, None: nowhere.
    """

    def __init__(self, reactor: Any, place: Place, *, token: str | None = None, file: Path | None = None) -> None:
        self._reactor = reactor
        self._place = place
        self._token = token or secrets.token_urlsafe()
        self._file = file
        self._open: tuple[Site, Port] | None = None
        self.complaints = Complaints()
        self.url = ""
        """Its address without the token; once it is open."""

    def open(self, routes: Routes) -> None:
        """Listen. Raises UsageError."""
        if not _is_token(self._token):
            raise UsageError(
                "STATUS_TOKEN has to be 16 or more letters, digits, '-', '_', '.' and '~'; without it a token is made"
            )
        place, site = self._place, Site(self.complaints, self._reactor)
        listening = _listen(self._reactor, place, site)
        number = None if place.socket is not None else listening.getHost().port
        site.answering = Pages(Guard(self._token, port=number, hosts=[_in_url(place.host)]), routes)
        self.url = f"http://{_reached_at(place)}{'' if number is None else f':{number}'}/"
        self._open = site, listening
        try:
            if self._file is not None:
                write_private_file(self._file, json.encode(self.entry()))
        except OSError as error:
            self._open = None
            listening.stopListening()
            raise UsageError(f"{self._file} cannot be written: {error.strerror}") from error

    @property
    def where(self) -> str:
        """Where it is, without the token."""
        return self.url if self._place.socket is None else f"{self.url} by the Unix socket {self._place.socket}"

    def entry(self) -> dict[str, Any]:
        """Return what leads in: ``url`` with the token, ``token``, ``pid``, and ``socket`` (its path, or None)."""
        url = f"{self.url}?token={self._token}"
        return {"url": url, "token": self._token, "pid": os.getpid(), "socket": self._place.socket}

    async def close(self) -> None:
        """Listen no longer, and end all connections: at once, or after a moment for who reads slowly."""
        if self._open is None:
            return
        (site, listening), self._open = self._open, None
        socket = self._place.socket
        await (maybeDeferred(listening.stopListening) if socket is None else stop_at(socket, listening))
        await site.close()
        if self._file is not None:
            self._file.unlink(missing_ok=True)


def _listen(reactor: Any, place: Place, site: Site) -> Port:
    if place.socket is not None:
        at: Port = listen_at(reactor, place.socket, site, name="STATUS_SOCKET")
        return at
    listening: Port = listen_on(reactor, place.host, place.port, site, name="STATUS_PORT")
    if not ip_address(place.host).is_loopback:
        logger.warning(
            "STATUS_HOST = %s: the status page can be reached from other machines by plain HTTP: whoever reads along "
            "has its token, and with it the page. With 127.0.0.1, `ssh -L` or a proxy with TLS leads to it",
            place.host,
        )
    return listening


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _reached_at(place: Place) -> str:
    if place.socket is not None or ip_address(place.host).is_unspecified:
        return "localhost"
    return _in_url(place.host)
