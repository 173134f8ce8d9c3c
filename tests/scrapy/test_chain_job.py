"""Is a request that a project's middleware replaced in the job as replaced?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crawler.scrapy.http import Request
from tests.engine.virtual import balanced, crawl
from tests.scrapy.test_chain import ROOT, Made, middleware


class Kept(Made):
    async def start(self) -> Any:
        yield Request(ROOT, callback=self.parse, dont_filter=True)


def test_a_resume_goes_on_with_the_replaced_request_and_what_a_try_has_left(tmp_path: Path) -> None:
    def elsewhere(self: Any, request: Any) -> Any:
        request.meta["tries"] = request.meta.get("tries", 0) + 1
        if request.url == ROOT:
            return request.replace(url=f"{ROOT}mirror", method="POST", body=b"x", meta={**request.meta, "from": ROOT})
        return None

    settings = {"DOWNLOADER_MIDDLEWARES": {middleware(process_request=elsewhere): 543}, "CRAWLER_RETRY_BACKOFF": 100.0}
    spider = type("One", (Kept,), {"custom_settings": settings})
    answers = iter([503, "x"])

    def site(request: Any) -> Any:
        return next(answers)

    first = crawl(spider, site, job=tmp_path / "job", during=lambda ready: ready.world.clock.callLater(20, ready.stop))
    assert [(sent.request.method, sent.url) for sent in first.sent] == [("POST", f"{ROOT}mirror")]
    assert first.items == []
    second = crawl(spider, site, job=tmp_path / "job")
    (sent,) = second.sent
    assert (sent.request.method, sent.url, sent.request.body) == ("POST", f"{ROOT}mirror", b"x")
    meta = sent.request.meta
    assert (meta["from"], meta["tries"], meta["retry_times"]) == (ROOT, 3, 1)
    assert [item["url"] for item in second.items] == [f"{ROOT}mirror"]
    assert balanced(second)
