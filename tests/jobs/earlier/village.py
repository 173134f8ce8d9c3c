"""A spider and its site in memory, for a job that an earlier version began and was killed in the middle of.

The site has pages /p/0 to /p/30 in a tree, some reached by a redirect, some only by requests of other classes.
``VILLAGE_DIES_AT=N`` in the environment kills the process at the Nth exchange, as a power cut would.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

from twisted.internet.defer import Deferred

from crawler import FormRequest, JsonRequest, Pipeline, Request, Response, Spider
from crawler.download.seam import Head

A, B = "http://a.test", "http://b.test"
PAGES = 30
DIES_AT = int(os.environ.get("VILLAGE_DIES_AT", "0"))
LONG = 60.0 if DIES_AT else 0.003
"""What takes so long is not done when the process dies."""

ROBOTS = {A: "User-agent: *\nCrawl-delay: 0.02\nDisallow: /private\n", B: ""}


class Signed(Request):
    """A request class of the project's own, with a field."""

    def __init__(self, url: str, *args: Any, key: str = "", **more: Any) -> None:
        super().__init__(url, *args, **more)
        self.key = key

    attributes = (*Request.attributes, "key")


class Remembers(Pipeline):
    """A stage with memory: how many items there were, over all runs."""

    async def process_item(self, item: Any) -> Any:
        count = self.memory_dict("count")
        count["items"] = count.get("items", 0) + 1
        return {**item, "number": count["items"]}


class Village(Spider):
    """Walks both hosts; every item says which cookie came with its page."""

    name = "village"
    custom_settings = {
        "DOWNLOADER": "village.InMemory",
        "PIPELINES": [Remembers],
        "CONCURRENT_REQUESTS": 12,
        "JOB_COMMIT_SECONDS": 0.005,
        "RETRY_BACKOFF": 0.01,
        "JOB_KEEP": True,
    }

    async def start(self) -> AsyncIterator[Any]:
        yield Request(f"{A}/p/0")
        yield {"path": "an item of start()", "cookie": ""}
        for number in range(4):
            yield Request(f"{B}/p/{100 + number}", self.parse_other)
        await asyncio.sleep(LONG)  # it has not ended either, when the process dies
        yield Request(f"{A}/p/29", priority=-9)

    def parse(self, response: Response) -> Iterator[Any]:
        self.state["pages"] = self.state.get("pages", 0) + 1
        yield self.item(response)
        yield from response.follow_all(css="a")
        number = int(response.url.rpartition("/")[2])
        if number == 1:
            yield FormRequest(f"{B}/form", formdata={"q": "é"}, callback=self.parse_other, priority=-5)
            yield JsonRequest(f"{B}/json", data={"n": [1]}, callback=self.parse_other, priority=-5)
            yield Signed(f"{B}/signed", self.parse_other, key="k", priority=-5, cb_kwargs={"tags": {"a", "b"}})
        if number == 2:
            yield Request(f"{B}/p/110", lambda page: self.item(page), priority=-5)

    def parse_other(self, response: Response, tags: Any = None) -> Iterator[Any]:
        yield self.item(response)

    def item(self, response: Response) -> dict[str, Any]:
        return {"path": response.url.removeprefix(A).removeprefix(B), **json.loads(response.headers["X-Said"])}


class InMemory:
    """The network: a downloader that answers by itself."""

    def __init__(self, settings: Any, *, reactor: Any) -> None:
        self._reactor = reactor
        self._left = DIES_AT

    def fetch(self, request: Request, exchange: Any = None) -> "Deferred[Response]":
        self._left -= 1
        if self._left == 0:
            os._exit(9)
        answered: Deferred[Response] = Deferred()
        slow = request.url.startswith(B) and request.priority < 0
        self._reactor.callLater(
            LONG if slow else 0.003, self._arrive, answered, self._answer(request), request, exchange
        )
        return answered

    def _arrive(self, answered: "Deferred[Response]", response: Response, request: Request, exchange: Any) -> None:
        if exchange is not None and exchange.on_head is not None:
            exchange.on_head(request, Head(response.status, b"", response.headers, "HTTP/1.1"))
        answered.callback(response)

    def close(self) -> "Deferred[None]":
        closed: Deferred[None] = Deferred()
        closed.callback(None)
        return closed

    def _answer(self, request: Request) -> Response:
        origin, _, path = request.url.partition(".test/")
        origin += ".test"
        html = {"Content-Type": "text/html"}
        if path == "robots.txt":
            return Response(request.url, 200, {}, ROBOTS[origin].encode(), request=request)
        kind, _, rest = path.partition("/")
        if kind == "r":
            return Response(request.url, 302, {"Location": f"/p/{rest}"}, b"", request=request)
        if path == "p/103" and not request.meta.get("retry_times"):
            return Response(request.url, 503, {}, b"busy", request=request)
        cookie = (request.headers.get("Cookie") or b"").decode()
        said: dict[str, Any] = {"cookie": cookie}
        if kind != "p":
            said["body"], said["key"] = request.body.decode(), getattr(request, "key", "")
        if path == "p/0":
            html["Set-Cookie"] = "seen=zero; Path=/"
        number = int(rest) if kind == "p" else 100
        links = [n for n in (0, 2 * number + 1, 2 * number + 2) if n <= PAGES]
        anchors = "".join(f'<a href="/{"r" if n % 5 == 3 else "p"}/{n}">x</a>' for n in links)
        return Response(request.url, 200, html | {"X-Said": json.dumps(said)}, anchors.encode(), request=request)
