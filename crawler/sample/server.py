"""How are the sample pages served?

By Twisted's own web server, so that trying a spider needs nothing but this package.
"""

from __future__ import annotations

from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from crawler.sample import books, links, quotes

ROBOTS_TXT = "User-agent: *\nDisallow: /basket/\n"
"""One folder is closed, so that obeying robots.txt can be seen in the log."""


class SamplePages(Resource):
    """All sample pages by path; anything else is a 404. Counts what it was asked in ``asked``."""

    isLeaf = True  # noqa: N815 (Twisted's name)

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's Resource has no types
        pages = {**books.paths(), **quotes.paths(), "/basket/": "<title>Basket</title><p>Empty.</p>"}
        self._bodies = {path.encode(): body.encode() for path, body in pages.items()}
        self.asked: dict[bytes, int] = {}

    def render_GET(self, request: Request) -> bytes:  # noqa: N802 (Twisted's name)
        """Answer GET, and HEAD by way of Twisted."""
        path: bytes = request.path
        self.asked[path] = self.asked.get(path, 0) + 1
        if path == b"/robots.txt":
            request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
            return ROBOTS_TXT.encode()
        request.setHeader(b"Content-Type", b"text/html")
        if path == links.PATH.encode():
            number = request.args.get(b"n", [b"0"])[0]
            return links.page(int(number) if number.isdigit() else 0).encode()
        if path in self._bodies:
            return self._bodies[path]
        request.setResponseCode(404)
        return b"<!DOCTYPE html><title>404</title><p>There is no such page."


def sample_site() -> Site:
    """Return the factory that serves the sample pages; it logs nothing."""
    site = Site(SamplePages())
    site.displayTracebacks = False
    return site
