"""Does the retry rule of docs/politeness.md work, and does the throttle know it from overload?"""

from __future__ import annotations

from crawler import HostPaced, Request, Response, Spider, testing
from tests.docs.blocks import load


class Shop(Spider):
    name = "shop"
    start_urls = ["http://a.example/"]

    def parse(self, response: Response) -> dict[str, int]:
        return {"status": response.status}


def test_a_page_that_is_queued_is_asked_for_again() -> None:
    asked = 0

    def site(request: Request) -> Response:
        nonlocal asked
        asked += 1
        return Response(request.url, 200) if asked == 3 else Response(request.url, 202, {"X-Queue": "pending"})

    rule = load("docs/politeness.md", "middlewares/queued_pages.py")["QueuedPages"]
    result = testing.crawl(Shop, site, settings={"MIDDLEWARES": [rule], "ROBOTSTXT_OBEY": False})
    assert result.items == [{"status": 200}]
    assert result.summary.stats["retry/reason_count/TimeoutError"] == 2
    assert not [event for event in result.events if isinstance(event, HostPaced)]
