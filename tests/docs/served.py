"""What do the sites answer that the documents crawl?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from crawler.sample import books, quotes


class Asked(NamedTuple):
    """A request: its path has the query, its header fields are asked for in any case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Answer(NamedTuple):
    """What is sent back; the kind of content is HTML unless ``headers`` says otherwise."""

    body: str | bytes
    status: int = 200
    headers: Mapping[str, str] = {}


Page = Callable[[Asked], Answer | str | bytes | int]
"""A site: an answer, or its body, or its status alone."""


@cache
def _pages() -> dict[str, str]:
    return books.paths() | quotes.paths()


def sample(asked: Asked) -> str | int:
    """Answer as the sample bookshop does."""
    return _pages().get(asked.path, 404)


@contextmanager
def served(answer: Page) -> Iterator[str]:
    """Serve a site on loopback; gives its URL, without a slash at the end."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found = answer(Asked(self.command, self.path, self.headers, body))  # type: ignore[arg-type]  # a Mapping
            if isinstance(found, int):
                found = Answer(f"<title>{found}</title>", found)
            elif not isinstance(found, Answer):
                found = Answer(found)
            data = found.body.encode() if isinstance(found.body, str) else found.body
            self.send_response(found.status)
            headers = {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(data))} | dict(
                found.headers
            )
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = do  # noqa: N815  the names of the standard library

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a crawler that was stopped has gone
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
