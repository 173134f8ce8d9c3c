"""Does code of the user's that fails, in whatever way, fail only what it was called for?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from crawler.errors import DropItem
from crawler.events import ItemFailed, SpiderFailed
from tests.engine.virtual import (
    ROOT,
    Request,
    Response,
    Spider,
    any_page,
    ask,
    balanced,
    crawl,
    numbers,
    page_item,
    spider,
)


class NoIterator:
    def __iter__(self) -> Any:
        raise RuntimeError("no iterator")


def test_a_result_whose_iterator_fails_is_the_callbacks_error() -> None:
    result = crawl(spider(parse=lambda self, response: NoIterator(), start=ask(*numbers(3))), any_page)
    assert result.summary.reason == "finished"
    assert len(result.happened(SpiderFailed)) == 3
    assert balanced(result)


def test_a_coroutines_result_whose_iterator_fails_is_the_callbacks_error() -> None:
    async def parse(self: Spider, response: Response) -> Any:
        return NoIterator()

    result = crawl(spider(parse=parse, start=ask(*numbers(3))), any_page)
    assert len(result.happened(SpiderFailed)) == 3


@pytest.mark.parametrize("kind", ["plain", "generator"])
def test_sys_exit_in_a_callback_is_its_error(kind: str) -> None:
    def plain(self: Spider, response: Response) -> Any:
        sys.exit(3)

    def generator(self: Spider, response: Response) -> Any:
        yield {"url": response.url}
        sys.exit(3)

    parse = plain if kind == "plain" else generator
    result = crawl(spider(parse=parse, start=ask(*numbers(3))), any_page)
    assert len(result.happened(SpiderFailed)) == 3
    assert balanced(result)


class ReturnsNothing:
    async def __call__(self, request: Request, fetch: Any) -> Any:
        response = await fetch(request)
        return None if "1" in request.url else response


def test_a_middleware_that_returns_no_response_fails_that_request_alone() -> None:
    result = crawl(
        spider(parse=page_item, start=ask(*numbers(3))), any_page, settings={"MIDDLEWARES": [ReturnsNothing]}
    )
    assert result.summary.reason == "finished"
    assert len(result.items) == 2
    [failed] = result.happened(SpiderFailed)
    assert "ReturnsNothing" in str(failed.error) or "Response" in str(failed.error)
    assert balanced(result)


class Exits:
    async def __call__(self, request: Request, fetch: Any) -> Any:
        if "1" in request.url:
            raise GeneratorExit
        return await fetch(request)


def test_a_middleware_that_raises_no_ordinary_exception_fails_that_request_alone() -> None:
    result = crawl(spider(parse=page_item, start=ask(*numbers(3))), any_page, settings={"MIDDLEWARES": [Exits]})
    assert result.summary.reason == "finished"
    assert len(result.items) == 2
    assert balanced(result)


def refuse_redirected(request: Request, found_on: Response | None) -> Request:
    if "target" in request.url:
        raise ValueError("a filter of the user's")
    return request


def test_a_filter_that_fails_on_a_redirects_target_fails_that_request_alone() -> None:
    def site(request: Request) -> Any:
        if request.url == ROOT + "1":
            return Response(request.url, 302, {"Location": "/target"})
        return "x"

    result = crawl(
        spider(parse=page_item, start=ask(*numbers(3))), site, settings={"REQUEST_FILTERS": [refuse_redirected]}
    )
    assert result.summary.reason == "finished"
    assert len(result.items) == 2
    assert len(result.happened(SpiderFailed)) == 1
    assert balanced(result)


@pytest.mark.parametrize("answer", [None, 5, b"bytes"])
@pytest.mark.parametrize("job", [False, True])
def test_a_slot_key_of_another_type_is_an_error_of_that_request(answer: Any, job: bool, tmp_path: Path) -> None:
    def key(request: Request) -> Any:
        return answer if request.url.endswith("1") else "a"

    result = crawl(
        spider(parse=page_item, start=ask(*numbers(3))),
        any_page,
        settings={"SLOT_KEY": key},
        job=tmp_path / "job" if job else None,
    )
    assert result.summary.reason == "finished"
    assert len(result.items) in (2, 3)
    assert balanced(result)


@pytest.mark.parametrize("answer", [None, "x", b"12345678901234567890", -1, 2**64])
@pytest.mark.parametrize("job", [False, True])
def test_a_fingerprint_of_another_type_is_an_error_of_that_request(answer: Any, job: bool, tmp_path: Path) -> None:
    def number(request: Request) -> Any:
        return answer if request.url.endswith("1") else hash(request.url) & 0xFFFF

    result = crawl(
        spider(parse=page_item, start=ask(*numbers(3))),
        any_page,
        settings={"FINGERPRINT": number},
        job=tmp_path / "job" if job else None,
    )
    assert result.summary.reason == "finished"
    assert len(result.items) == 2
    assert balanced(result)


class WrongArguments:
    async def process_item(self) -> Any:
        return None


class WrongBatch:
    async def process_batch(self) -> Any:
        return None


@pytest.mark.parametrize("stage", [WrongArguments, WrongBatch])
def test_an_async_stage_that_cannot_be_called_fails_its_items(stage: Any) -> None:
    result = crawl(spider(parse=page_item, start=ask(*numbers(3))), any_page, settings={"PIPELINES": [stage]})
    assert result.summary.reason == "finished"
    assert len(result.happened(ItemFailed)) == 3


class ExitsInThread:
    def process_item(self, item: Any) -> Any:
        if item["url"].endswith("1"):
            sys.exit(1)
        return item


def test_sys_exit_in_a_stage_fails_the_item() -> None:
    def parse(self: Spider, response: Response) -> Any:
        return [{"url": str(n)} for n in range(5)]

    result = crawl(spider(parse=parse), any_page, settings={"PIPELINES": [ExitsInThread]})
    assert len(result.items) == 4
    assert len(result.happened(ItemFailed)) == 1


class BadDrop(DropItem):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class DropsBadly:
    def process_item(self, item: Any) -> Any:
        raise BadDrop


def test_an_error_without_a_text_ends_its_item() -> None:
    result = crawl(spider(parse=page_item, start=ask(*numbers(2))), any_page, settings={"PIPELINES": [DropsBadly]})
    assert result.items == []
