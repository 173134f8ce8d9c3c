"""Have spiders and pipelines ``self.http``, and are they told where it is not?"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from crawler import Pipeline, Response, Spider, SpiderFailed
from crawler.assembly import prepare, real_world
from crawler.testing import crawl
from tests.download.reactor import reactor, run


class _Api(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def api(outside: None) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Api) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


class Asking(Spider):
    """Asks the API beside the crawl."""

    name = "asking"
    api: str

    async def start(self) -> AsyncIterator[dict[str, Any]]:
        answer = await self.http.get(self.api)
        yield {"by spider": await answer.text()}


class AskingStage(Pipeline):
    """Asks it for each item."""

    async def process_item(self, item: Any) -> Any:
        answer = await self.http.get(self.spider.api)  # type: ignore[attr-defined]  # Asking's
        item["by stage"] = await answer.text()
        seen.append(item)
        return item


seen: list[Any] = []


def test_spiders_and_stages_make_side_calls(api: str) -> None:
    seen.clear()
    settings = {"JOB_STORE": None, "PIPELINES": [AskingStage], "HTTPPROXY_ENABLED": False}
    prepared = prepare(Asking, settings, world=real_world(reactor), arguments={"api": api}, feeds=[])
    summary = run(prepared.run())
    assert (seen, summary.exit_status) == ([{"by spider": "ok", "by stage": "ok"}], 0)


def test_a_crawl_without_side_calls_says_so() -> None:
    class Page(Spider):
        name = "page"
        start_urls = ["http://shop.example/"]

        async def parse(self, response: Response) -> None:
            await self.http.get("http://api.example/")

    failed = crawl(Page, {"http://shop.example/": "x"}).happened(SpiderFailed)
    assert 'DOWNLOADER = "fast"' in str(failed[0].error)
