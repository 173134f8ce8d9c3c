"""Do middlewares, callbacks and pipelines see what they see in Scrapy, in its order?

What Scrapy itself did is in data/around.json, written by record.py.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from crawler import testing
from crawler.errors import ConnectionFailed
from crawler.events import ItemScraped
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.scrapy.http import Request as ScrapyRequest
from crawler.scrapy.item import Field, Item
from crawler.scrapy.spiders import Spider
from tests.engine import virtual
from tests.scrapy.around import record

HERE = Path(__file__).parent
RECORDED = json.loads(record.RECORDED.read_text())
SETTINGS = {"RETRY_ENABLED": False, "ROBOTSTXT_OBEY": False, "CONCURRENT_REQUESTS": 1}


def ours() -> ModuleType:
    """Load the cases with our scrapy, as the door would give it."""
    source = (HERE / "cases.py").read_text()
    source = source.replace("import scrapy\n", "")
    source = source.replace("from scrapy.", "from crawler.scrapy.")
    module = sys.modules[f"{__package__}.ours"] = ModuleType(f"{__package__}.ours")  # where its dataclasses are sought
    vars(module)["scrapy"] = SimpleNamespace(Spider=Spider, Request=ScrapyRequest, Item=Item, Field=Field)
    exec(compile(source, str(HERE / "cases.py"), "exec"), vars(module))  # the tests' own source
    return module


def site(request: Request) -> testing.Page:
    path = request.url.removeprefix("http://a.test/")
    if path.startswith("down"):
        return ConnectionFailed("down")
    status = int(path[:3]) if len(path) >= 3 and path[:3].isdigit() else 200
    headers = {"Content-Type": "text/html"} | ({"Location": "http://a.test/" + path[4:]} if status == 302 else {})
    return Response(request.url, status, headers, b"<p>", request=request)


def ran(name: str) -> dict[str, Any]:
    cases = ours()
    result = testing.crawl(cases.CASES[name], site, settings=SETTINGS)
    items = [event.item for event in result.events if type(event).__name__ == "ItemScraped"]
    stats = result.spider.crawler.stats.get_stats()
    return {
        "trace": cases.trace,
        "items": [record.written(item) for item in items],
        "stats": {key: value for key, value in stats.items() if key.startswith(record.COUNTED)},
    }


SEVERAL = {"Errbacks", "ErrbacksBetween", "Kinds", "KindsBetween", "PlainStatus", "SeesRequests", "SeesStatus",
           "SeesStatusInErrback", "Starts"}  # fmt: skip


def in_any_order(ran: dict[str, Any]) -> dict[str, Any]:
    return {**ran, "trace": sorted(ran["trace"]), "items": sorted(ran["items"], key=str)}


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_what_stands_round_a_spider_sees_what_it_sees_in_scrapy(name: str) -> None:
    ours, scrapys = ran(name), RECORDED[name]
    if name in SEVERAL:  # several pages at once: whose callback comes first is not the question here
        ours, scrapys = in_any_order(ours), in_any_order(scrapys)
    assert ours == scrapys


@pytest.mark.parametrize("name", ["StartsItems", "SeesRequests", "PlainStatus"])
def test_requests_that_come_out_of_a_job_are_what_they_were(name: str, tmp_path: Path) -> None:
    cases = ours()
    kept = virtual.crawl(cases.CASES[name], site, job=tmp_path / "job.db", window=1, settings=SETTINGS)
    assert sorted(cases.trace) == sorted(RECORDED[name]["trace"])
    items = [record.written(event.item) for event in kept.happened(ItemScraped)]
    assert sorted(items, key=str) == sorted(RECORDED[name]["items"], key=str)
