"""Does a crawl whose opening fails close what was opened, and tell the cause?"""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed

from crawler import Pipeline
from crawler.testing import crawl
from tests.engine.virtual import ROOT, Response, Spider, spider


def one_item(_: Spider, response: Response) -> Any:
    yield {"url": response.url}


def run(*stages: Any) -> Any:
    return crawl(spider(parse=one_item), {ROOT: "x"}, settings={"PIPELINES": list(stages)})


def test_an_async_open_spider_beside_a_plain_process_item_is_awaited() -> None:
    calls: list[str] = []

    class Mixed(Pipeline):
        async def open_spider(self) -> None:
            self.seen = "opened"

        def process_item(self, item: Any) -> Any:
            return {**item, "seen": self.seen}

        async def close_spider(self, spider: Any) -> None:
            calls.append(spider.name)

    assert [item["seen"] for item in run(Mixed).items] == ["opened"]
    assert calls == ["made"]


@pytest.mark.parametrize("kind", [OSError, SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("threads", [False, True])
def test_what_was_opened_is_closed_and_the_cause_is_told(kind: type[BaseException], threads: bool) -> None:
    calls: list[str] = []

    class First(Pipeline):
        def process_item(self, item: Any) -> Any:
            return item

        def close_spider(self) -> None:
            calls.append("first")
            raise RuntimeError("cannot even close")

    class Second(First):
        async def close_spider(self) -> None:  # type: ignore[override]
            calls.append("second")

    class Plain(Pipeline):
        def open_spider(self) -> None:
            raise kind("no database")

        def process_item(self, item: Any) -> Any:
            return item

    class Async(Pipeline):
        async def open_spider(self) -> None:
            raise kind("no database")

        async def process_item(self, item: Any) -> Any:
            return item

    with pytest.raises(kind if kind is OSError else RuntimeError, match="no database"):
        run(First, Second, Plain if threads else Async, First)
    assert calls == ["second", "first"]


def test_a_deferred_out_of_a_hook_in_a_thread_is_a_named_error() -> None:
    class Old(Pipeline):
        def open_spider(self) -> Deferred[None]:
            return succeed(None)

        def process_item(self, item: Any) -> Any:
            return item

    with pytest.raises(
        TypeError, match=r"Old\.open_spider runs in a thread, but returned a Deferred; make it async def"
    ):
        run(Old)
