"""Is an item what it was when it was yielded, whatever becomes of the object afterwards?"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, deque, namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pydantic
import pytest
from itemadapter import ItemAdapter

from crawler import Field, Item
from crawler.pipeline import Pipeline
from tests.engine.virtual import ROOT, Response, crawl, spider


class Declared(Item):
    at = Field()
    tags = Field()


@dataclasses.dataclass
class Data:
    at: str
    tags: Any


@dataclasses.dataclass(slots=True)
class Slotted:
    at: str
    tags: Any


@attrs.define
class Attrs:
    at: str
    tags: Any


class Model(pydantic.BaseModel):
    model_config = {"extra": "allow"}
    at: str


class Struct(msgspec.Struct):
    at: str
    tags: Any


class Own(dict[str, Any]):
    pass


class Stack(list[Any]):
    pass


Pair = namedtuple("Pair", "first second")
KINDS: list[Callable[..., Any]] = [dict, Declared, Data, Slotted, Attrs, Model, Struct, Own, OrderedDict]
VALUES: dict[str, Callable[[list[Any]], Any]] = {
    "list": lambda inner: inner,
    "nested": lambda inner: {"deep": [{"er": (inner,)}]},
    "pair": lambda inner: Pair(1, inner),
    "own list": lambda inner: Stack([inner]),
    "object": lambda inner: Data("", inner),
    "deque": lambda inner: deque([inner]),
}


class Keeping(Pipeline):
    """Has what it was given long after the callback went on."""

    async def process_item(self, item: Any) -> Any:
        return item


@pytest.mark.parametrize("stages", [[], [Keeping]], ids=["no stage", "a stage"])
@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_callback_does_to_an_item_later_changes_nothing(kind: Any, value: str, stages: list[Any]) -> None:
    def parse(self: Any, response: Response) -> Iterator[Any]:
        inner = ["as it was"]
        item = kind(at="first", tags=VALUES[value](inner))
        yield item
        ItemAdapter(item)["at"] = "later"
        inner.append("later")

    result = crawl(spider(parse=parse), lambda request: "page", settings={"PIPELINES": stages})
    (item,) = result.items
    assert type(item) is kind
    assert item == kind(at="first", tags=VALUES[value](["as it was"]))
    assert result.summary.errors == 0


def test_an_item_that_two_callbacks_complete_is_two_items(tmp_path: Path) -> None:
    def parse(self: Any, response: Response) -> Iterator[Any]:
        item = {"product": "shoe"}
        for path in "ab":
            yield response.follow(path, self.variant, meta={"item": item})

    def variant(self: Any, response: Response) -> Iterator[Any]:
        item = response.meta["item"]
        item["at"] = response.url
        yield item

    made = spider(parse=parse, variant=variant)
    for job in (None, tmp_path / "job"):
        items = crawl(made, lambda request: "page", job=job).items
        assert sorted(item["at"] for item in items) == [f"{ROOT}a", f"{ROOT}b"]


def test_a_stage_that_keeps_an_item_does_not_change_what_is_written() -> None:
    class Remembering:
        last: Any = None

        def process_item(self, item: Any) -> Any:
            if self.last is not None:
                self.last["n"] = "changed"
            self.last = item
            return item

    def parse(self: Any, response: Response) -> Iterator[Any]:
        yield from ({"n": number} for number in range(5))

    result = crawl(spider(parse=parse), lambda request: "page", settings={"PIPELINES": [Remembering]})
    assert [item["n"] for item in result.items] == list(range(5))


def test_a_stage_gets_the_very_objects_that_nobody_can_copy() -> None:
    class Asking:
        def process_item(self, item: Any) -> Any:
            return {"status": item["response"].status}

    def parse(self: Any, response: Response) -> Iterator[Any]:
        yield {"response": response}

    result = crawl(spider(parse=parse), lambda request: "page", settings={"PIPELINES": [Asking]})
    assert result.items == [{"status": 200}]


def test_memory_of_a_stage_is_kept_as_it_was_assigned(tmp_path: Path) -> None:
    class Noting(Pipeline):
        async def process_item(self, item: Any) -> Any:
            memory = self.memory_dict("noted")
            if item.get("ask"):
                return {"noted": memory.get("list")}
            noted = ["assigned"]
            memory["list"] = noted
            noted.append("later")
            return item

    def parse(self: Any, response: Response) -> Iterator[Any]:
        yield {"ask": response.url != ROOT}
        yield response.follow("next")

    settings = {"PIPELINES": [Noting], "CLOSESPIDER_PAGECOUNT": 1}
    made, job = spider(parse=parse), tmp_path / "job"
    crawl(made, lambda request: "page", job=job, settings=settings)
    assert crawl(made, lambda request: "page", job=job, settings=settings).items == [{"noted": ["assigned"]}]
