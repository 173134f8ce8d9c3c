"""How are the downloader, the URL schemes and the middlewares put together?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from crawler.model.request import Request
from crawler.model.response import Response


class Edge:
    """Everything between the engine and the network.

    ``fetch(request)`` sends one exchange through the middlewares; ``facts`` are what a job must keep of
    it (cookies); ``http`` is the client for side calls; ``again`` is set by the assembly to the engine's
    inline fetch, which a middleware's second call goes to.
    """

    def __init__(self, downloader: Any) -> None:
        self.again: Callable[[Request], Deferred[Response]] | None = None
        self.facts: list[Any] = []
        self.http: Any = None
        self._downloader = downloader
        self.fetch: Callable[[Request], Deferred[Response]] = downloader.fetch

    def close(self) -> Deferred[None]:
        """Close connections and files."""
        closed: Deferred[None] = self._downloader.close()
        return closed


def assemble_edge(
    settings: Any, crawler: Any, reactor: Any, *, make: Callable[[Any], Any], downloader: Any = None
) -> Edge:
    """Put the edge of one crawl together; ``make`` makes a component from its class."""
    return Edge(downloader)
