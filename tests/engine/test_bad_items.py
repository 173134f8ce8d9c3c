"""Is one bad value lost by its name, whatever it does, and nothing else with it?"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Iterator
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from crawler.events import ItemFailed, SpiderFailed
from tests.engine.virtual import ROOT, Request, Response, crawl, spider

PAGES = 6


class Speechless:
    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


class Leaving:
    def __str__(self) -> str:
        sys.exit(3)


class Untouchable(dict[str, Any]):
    def __iter__(self) -> Any:
        raise RuntimeError("hands off")

    items = keys = values = __iter__


class Unhashable:
    def __hash__(self) -> int:
        raise RuntimeError("no hash")


class Coloured(Enum):
    RED = Speechless()


class Nowhere(datetime.tzinfo):
    def utcoffset(self, when: Any) -> Any:
        raise RuntimeError("no time here")


def changing() -> dict[str, Any]:
    """Return an item that is changed while it is gone through, as another thread may do."""
    item: dict[str, Any] = {"bad": type("Text", (), {"__str__": lambda _: item.update(more=1) or ""})()}
    return item


def deep(levels: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


def str_of(value: Any) -> str:
    return type(value).__name__


BAD = {
    "speechless": lambda: {"bad": Speechless()},
    "exit": lambda: {"bad": [Leaving()]},
    "deep": lambda: {"bad": deep(10_000)},
    "untouchable": lambda: Untouchable(bad=1),
    "untouchable within": lambda: {"bad": {1: [Untouchable(x=Speechless())]}},
    "unhashable": lambda: {"bad": [{"a": Speechless()}, {"b"}]},
    "enum": lambda: {"bad": Coloured.RED},
    "time zone": lambda: {"bad": datetime.datetime(2026, 1, 1, tzinfo=Nowhere())},
}


class Passing:
    def process_item(self, item: Any) -> Any:
        return item


def links(response: Response, bad: Any) -> Iterator[Any]:
    """Yield an item, a bad one on the third of a chain of pages, and the next page."""
    number = int(response.url.removeprefix(ROOT) or 0)
    if number == 3:
        yield bad
    yield {"url": response.url}
    if number < PAGES:
        yield Request(f"{ROOT}{number + 1}")


@pytest.mark.parametrize("stages", [[], [Passing]], ids=["no stage", "a stage"])
@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("kind", BAD)
def test_a_bad_item_is_lost_by_name_and_nothing_else(
    tmp_path: Path, kind: str, durable: bool, stages: list[Any]
) -> None:
    made = spider(parse=lambda self, response: links(response, BAD[kind]()))
    job = tmp_path / "job" if durable else None
    result = crawl(made, lambda request: "page", job=job, settings={"PIPELINES": stages})
    assert result.summary.problems == []
    assert result.summary.reason == "finished"
    assert len([item for item in result.items if "url" in item]) == PAGES + 1
    (failed,) = result.happened(ItemFailed)
    assert failed.response.url == f"{ROOT}3"
    assert "bad" in str(failed.error) or kind == "untouchable", failed.error
    assert (result.summary.errors, result.summary.exit_status) == (1, 1)


@pytest.mark.parametrize("durable", [True, False])
def test_an_item_that_is_changed_while_it_is_read_is_lost_alone(tmp_path: Path, durable: bool) -> None:
    made = spider(parse=lambda self, response: links(response, changing()))
    result = crawl(made, lambda request: "page", job=tmp_path / "job" if durable else None)
    assert (len(result.items), result.summary.problems) == (PAGES + 1, [])
    assert "changed" in str(result.happened(ItemFailed)[0].error)


@pytest.mark.parametrize("durable", [True, False])
def test_a_bad_item_of_start_is_lost_by_name(tmp_path: Path, durable: bool) -> None:
    async def start(self: Any) -> Any:
        yield {"bad": Speechless()}
        yield {"url": "of start"}

    result = crawl(spider(start=start), lambda request: "page", job=tmp_path / "job" if durable else None)
    assert result.items == [{"url": "of start"}]
    assert result.summary.errors == 1
    assert "no words" in str(result.happened(SpiderFailed)[0].error)


def test_a_job_goes_on_over_a_bad_item_when_it_is_resumed(tmp_path: Path) -> None:
    made = spider(parse=lambda self, response: links(response, BAD["speechless"]()))
    job, site = tmp_path / "job", lambda request: "page"
    first = crawl(made, site, job=job, settings={"CLOSESPIDER_PAGECOUNT": 2})
    assert first.summary.queued == 1
    second = crawl(made, site, job=job)
    assert second.summary.reason == "finished"
    assert len(first.items) + len(second.items) == PAGES + 1
    assert len(second.happened(ItemFailed)) == 1


@pytest.mark.parametrize("state", [5, [1], Untouchable(x=1), {"odd": Speechless()}, {"deep": deep(10_000)}], ids=str_of)
def test_a_state_that_cannot_be_kept_is_told_once_and_ends_nothing(tmp_path: Path, state: Any) -> None:
    def parse(self: Any, response: Response) -> Iterator[Any]:
        self.state = state
        yield from links(response, None)

    result = crawl(spider(parse=parse), lambda request: "page", job=tmp_path / "job")
    assert result.summary.problems == []
    assert len(result.items) == PAGES + 1
    (told,) = result.happened(SpiderFailed)
    assert told.callback.startswith("spider.state")
    assert "cannot be kept in the job" in str(told.error)
    assert (result.summary.errors, result.summary.exit_status) == (1, 1)


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize(
    "odd",
    [
        lambda: Request(f"{ROOT}odd", meta={"download_slot": "\ud800"}),
        lambda: Request(f"{ROOT}odd", meta={"download_slot": Speechless()}),
    ],
)
def test_a_request_whose_slot_is_no_text_is_lost_by_name(tmp_path: Path, odd: Any, durable: bool) -> None:
    made = spider(parse=lambda self, response: links(response, odd()))
    result = crawl(made, lambda request: "page", job=tmp_path / "job" if durable else None)
    assert result.summary.problems == []
    assert len(result.items) == PAGES + 1
    assert len(result.happened(SpiderFailed)) == 1
    assert f"{ROOT}odd" not in result.urls


@pytest.mark.parametrize("what", ["meta", "cb_kwargs"])
@pytest.mark.parametrize("value", [Speechless, Unhashable, lambda: deep(10_000), lambda: Untouchable(x=1)])
def test_a_request_that_holds_an_odd_object_is_carried(tmp_path: Path, what: str, value: Any) -> None:
    request = lambda: Request(f"{ROOT}5", **{what: {"odd": value()}})  # noqa: E731
    made = spider(parse=lambda self, response, odd=None: links(response, request()))
    result = crawl(made, lambda request: "page", job=tmp_path / "job")
    assert (result.summary.problems, result.summary.errors) == ([], 0)
    assert f"{ROOT}5" in result.urls


def test_an_error_that_cannot_be_said_is_an_error_all_the_same(tmp_path: Path) -> None:
    class Unsaid(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    def site(request: Request) -> Any:
        return Unsaid() if request.url == f"{ROOT}3" else "page"

    result = crawl(spider(parse=lambda self, response: links(response, None)), site, job=tmp_path / "job")
    assert result.summary.problems == []
    assert (result.summary.reason, result.summary.errors) == ("finished", 1)


def test_requests_to_partials_are_told_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A partial has no name of its own; the function it comes to has."""

    def parse(self: Any, response: Response) -> Iterator[Any]:
        for number in range(50):
            yield Request(f"{ROOT}?{number}", callback=partial(self.page, number=number))

    made = spider(parse=parse, page=lambda self, response, number: {"n": number})
    caplog.set_level("INFO")
    result = crawl(made, lambda request: "page", job=tmp_path / "job")
    assert sorted(item["n"] for item in result.items) == list(range(50))
    told = [record.getMessage() for record in caplog.records if "cannot be stored" in record.getMessage()]
    assert len(told) == 1
    assert "<lambda>" in told[0]


def test_errors_of_stages_count_as_errors(tmp_path: Path) -> None:
    class Broken:
        def process_item(self, item: Any) -> Any:
            raise OSError("the database is gone")

    made = spider(parse=lambda self, response: links(response, None))
    settings = {"PIPELINES": [Broken], "CLOSESPIDER_ERRORCOUNT": 3}
    result = crawl(made, lambda request: "page", job=tmp_path / "job", settings=settings)
    assert (result.summary.reason, result.summary.exit_status) == ("closespider_errorcount", 1)
    assert result.summary.errors == 3


@pytest.mark.parametrize("stages", [[], [Passing]], ids=["no stage", "a stage"])
@pytest.mark.parametrize("what", ["item", "key", "unfit", "list"])
def test_what_leaves_the_process_when_it_is_looked_at_costs_itself_alone(
    tmp_path: Path, what: str, stages: list[Any]
) -> None:
    """sys.exit() in an object's methods is an error like any other: callback and crawl go on."""

    class Exiting:
        def __repr__(self) -> str:
            sys.exit(3)

        def __getattr__(self, name: str) -> Any:
            sys.exit(4)

    class Pair(tuple[int, ...]):
        armed = False

        def __iter__(self) -> Any:
            if self.armed:
                sys.exit(5)
            return super().__iter__()

    pair = Pair((1, 2))
    bad = {"item": Exiting(), "unfit": object, "key": {pair: 1}, "list": [[Exiting()], pair]}[what]

    def parse(self: Any, response: Response) -> Iterator[Any]:
        Pair.armed = True
        yield from links(response, bad)

    result = crawl(spider(parse=parse), lambda request: "page", job=tmp_path / "job", settings={"PIPELINES": stages})
    assert (result.summary.reason, result.summary.problems) == ("finished", [])
    assert len([item for item in result.items if "url" in item]) == PAGES + 1


def test_a_batch_that_leaves_the_process_loses_the_bad_item_alone(tmp_path: Path) -> None:
    class Batches:
        def process_batch(self, items: list[Any]) -> list[Any]:
            for item in items:
                if item["n"] == 3:
                    sys.exit(2)
            return items

    made = spider(parse=lambda self, response: ({"n": number} for number in range(6)))
    result = crawl(made, lambda request: "page", job=tmp_path / "job", settings={"PIPELINES": [Batches]})
    assert sorted(item["n"] for item in result.items) == [0, 1, 2, 4, 5]
    assert result.summary.errors == 1


@pytest.mark.parametrize("bad", [Leaving(), "many", [1]], ids=str_of)
@pytest.mark.parametrize(
    ("key", "page"),
    [("max_retry_times", 503), ("redirect_times", 302), ("handle_httpstatus_list", 404), ("retry_times", 503)],
)
def test_a_bad_value_in_a_control_key_of_meta_costs_its_request_alone(
    tmp_path: Path, key: str, page: int, bad: Any
) -> None:
    """It is looked at when the answer is judged, long after the callback has ended."""

    def site(request: Request) -> Any:
        if not request.url.startswith(f"{ROOT}odd"):
            return "page"
        return Response(request.url, page, {"Location": f"{ROOT}odd2"} if page == 302 else {}, request=request)

    made = spider(parse=lambda self, response: links(response, Request(f"{ROOT}odd", meta={key: bad})))
    result = crawl(made, site, job=tmp_path / "job")
    assert (result.summary.reason, result.summary.problems) == ("finished", [])
    assert len(result.items) == PAGES + 1
