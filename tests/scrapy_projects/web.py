"""What did a project ask for? A proxy on loopback that answers for every host, and notes what it is asked.

Both crawlers obey `http_proxy`, so the projects name hosts as they would on the real web, and none is looked up.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

from tests.docs.served import Answer, Asked, Page, served

# What belongs to the connection or names the crawler; all other header fields are compared.
UNCOMPARED = {"host", "connection", "proxy-connection", "accept-encoding", "content-length", "proxy-authorization"}


class Seen(NamedTuple):
    """A request as it is compared: header fields in lower case, sorted, and cookies in any order."""

    method: str
    url: str
    body: bytes
    headers: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        fields = " ".join(f"{name}={value!r}" for name, value in self.headers if name not in ("accept",))
        return f"{self.method} {self.url} {self.body[:200]!r} {fields}"


class FakeWeb:
    """The answers of a project's site, and what was asked of it, in order; robots.txt is left out."""

    def __init__(self, site: Page) -> None:
        self._site = site
        self.seen: list[Seen] = []

    def answer(self, asked: Asked) -> Answer | str | bytes | int:
        """Answer a request that came to the proxy."""
        if urlsplit(asked.path).path != "/robots.txt":
            self.seen.append(_seen(asked))
        return self._site(asked)


def _seen(asked: Asked) -> Seen:
    headers = []
    for name, value in asked.headers.items():
        name = name.lower()
        if name in UNCOMPARED or (name == "user-agent" and value.startswith(("Scrapy/", "crawler/"))):
            continue
        headers.append((name, "; ".join(sorted(value.split("; "))) if name == "cookie" else value))
    parts = urlsplit(asked.path)
    # The form a proxy is asked in: nothing but a host is its root, with or without a slash.
    url = asked.path if parts.path or not parts.netloc else urlunsplit((*parts[:2], "/", *parts[3:]))
    return Seen(asked.method, url, asked.body, tuple(sorted(headers)))


@contextmanager
def fake_web(site: Page) -> Iterator[tuple[FakeWeb, str]]:
    """Serve a site for all hosts; gives what was asked, and the proxy's URL."""
    web = FakeWeb(site)
    with served(web.answer) as url:
        yield web, url
