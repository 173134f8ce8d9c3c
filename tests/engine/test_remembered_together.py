"""When stages of several workers remember things for one job, is each change kept with its item, and a duplicate told?

The store that takes requests out of a shared queue decides in the commit; here its answer is made by hand.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from crawler.engine.deciding.ends import CommittedUnits
from crawler.engine.ending import Ending
from crawler.engine.items.pipelines import Pipelines
from crawler.engine.items.stage_kinds import make_stage
from crawler.engine.keeping.committer import Uncommitted
from crawler.engine.keeping.unit import Unit
from crawler.engine.life import Capacity, Kind, Life
from crawler.engine.machine import Machine
from crawler.engine.user_code.patience import Patience
from crawler.engine.user_code.tasks import driver
from crawler.errors import DropItem
from crawler.events import Event, Events, ItemDropped, ItemScraped
from crawler.frontier.store import START, Committed, MemoryChange
from crawler.pipeline import Pipeline
from crawler.spider import Spider
from crawler.threads import InlinePool


class Once(Pipeline):
    """Remembers what it has passed."""

    def process_item(self, item: Any) -> Any:
        seen = self.memory_set("seen")
        if item["n"] in seen:
            raise DropItem("seen before")
        seen.add(item["n"])
        return item


class AsyncOnce(Once):
    async def process_item(self, item: Any) -> Any:
        return super().process_item(item)


class BatchOnce(Pipeline):
    def bind(self, crawler: Any) -> None:
        super().bind(crawler)
        self.seen = self.memory_set("seen")

    def process_batch(self, items: list[Any]) -> list[Any]:
        new = [item for item in items if item["n"] not in self.seen]
        for item in new:
            self.seen.add(item["n"])
        return new


class Last(Pipeline):
    def process_item(self, item: Any) -> Any:
        if item["n"] == 2:
            raise DropItem("two")
        self.memory_dict("last")["n"] = item["n"]
        return item


class Room:
    """A unit that goes through stages, and the events that are told of it."""

    def __init__(self, *stages: type[Any], takes: bool = True) -> None:
        clock: Any = None
        machine = Machine(clock=clock, random=lambda: 0.0, drive=driver(None), pools=InlinePool, reactor=None)
        self.crawler: Any = SimpleNamespace(
            memory={}, memory_changes=[], check_value=None, settings=None, spider=Spider
        )
        made: list[Any] = [stage() for stage in stages]
        for stage in made:
            stage.bind(self.crawler)
        self.told: list[Event] = []
        events = Events()
        for kind in ItemScraped, ItemDropped:
            events.subscribe(kind, self.told.append)
        ending = Ending(Life(Capacity(1, 1, 1)), events)
        store: Any = SimpleNamespace(takes=takes)
        own: Any = SimpleNamespace(complete=lambda unit: None, put=lambda items, number: None)
        self.unit = Unit(START, keeper=own)
        self.pipelines = Pipelines(
            [make_stage(stage, Spider("s"), machine) for stage in made],
            store,
            patience=Patience(machine),
            ending=ending,
            events=events,
        )
        ending.life.ledger.begin(Kind.UNIT)
        self.committed = CommittedUnits(own, own, own, Uncommitted(self.crawler.memory), own, ending, events)

    def send(self, *numbers: int) -> None:
        for number in numbers:
            self.pipelines.submit({"n": number}, self.unit, None)

    def commit(self, *dropped: int) -> list[tuple[str, int, str]]:
        """Take the store's answer, and return what is told of the items."""
        self.committed.committed(self.unit, Committed([], 1, dropped=list(dropped)))
        return [(type(event).__name__, event.item["n"], getattr(event, "reason", "")) for event in self.told]

    def changes(self) -> list[tuple[str, Any, int]]:
        return [(change.op, change.key, change.item) for change in self.unit.memory]


@pytest.mark.parametrize("stage", [Once, AsyncOnce, BatchOnce])
def test_each_change_knows_its_item(stage: Any) -> None:
    room = Room(stage)
    room.send(1, 2, 1, 3)
    assert [item["n"] for item in room.unit.items] == [1, 2, 3]
    assert room.changes() == [("add", 1, 0), ("add", 2, 1), ("add", 3, 2)]


def test_changes_for_an_item_that_a_later_stage_drops_belong_to_none() -> None:
    room = Room(Once, Last)
    room.send(1, 2, 3)
    assert room.changes() == [("add", 1, 0), ("set", "n", 0), ("add", 2, -1), ("add", 3, 1), ("set", "n", 1)]


def test_the_commit_says_which_items_are_new() -> None:
    room = Room(Once)
    room.send(1, 2, 3)
    assert room.told == []
    assert room.commit(1) == [("ItemScraped", 1, ""), ("ItemDropped", 2, "duplicate"), ("ItemScraped", 3, "")]
    assert next(event.stage for event in room.told if isinstance(event, ItemDropped)) == "Once"
    assert room.committed.items == 2


def test_what_was_remembered_for_a_duplicate_is_asked_of_the_store_again() -> None:
    room = Room(Once)
    room.send(1, 2)
    room.commit(1)
    (seen,) = room.crawler.memory.values()
    assert list(seen) == [1]


def test_an_item_without_an_added_key_is_told_of_at_once() -> None:
    room = Room(Last)
    room.send(1)
    assert room.unit.memory == [MemoryChange(f"{__name__}.Last", "last", "set", "n", 1, 0)]
    assert [type(event) for event in room.told] == [ItemScraped]


def test_a_store_of_one_process_is_told_of_changes_alone() -> None:
    room = Room(Once, takes=False)
    room.send(1, 2)
    assert (room.changes(), len(room.unit.changes)) == ([], 2)
    assert [type(event) for event in room.told] == [ItemScraped, ItemScraped]
