"""The items of all workers are in the feeds once, also when the server goes back to an older state."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from crawler.commands.cluster.feeds import WholeFeeds
from crawler.config.schema import CoreSettings
from crawler.engine.machine import Machine
from crawler.engine.user_code.tasks import driver
from crawler.events import Events
from crawler.feeds import make_feeds
from crawler.feeds.seam import Feed
from crawler.storage.cluster.outbox import WentBack
from crawler.threads import InlinePool


class Server:
    """An outbox that can be put back to an older state, as a server that is started again with older data."""

    durable = True

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.marks: dict[str, Mapping[str, Any]] = {}
        self.run = self.known = 0

    def open(self, names: Sequence[str]) -> Deferred[tuple[dict[str, Any], int]]:
        self.known = self.run
        return succeed((dict(self.marks), len(self.items)))

    def unfed_items(self, after: int, count: int) -> Deferred[list[tuple[int, Any]]]:
        if self.known != self.run:
            return fail(WentBack("older"))
        return succeed(list(enumerate(self.items, 1))[after : after + count])

    def fed(self, feed: str, mark: Mapping[str, Any], *, on_disk: bool = False) -> Deferred[None]:
        if self.known != self.run:
            return fail(WentBack("older"))
        self.marks[feed] = deepcopy(mark)
        return succeed(None)

    def state(self) -> Any:
        return deepcopy((self.items, self.marks))

    def go_back(self, state: Any) -> None:
        self.items, self.marks = state
        self.run += 1


class Writer:
    """The process that writes the feeds, in virtual time."""

    def __init__(self, server: Server, path: Path, name: str = "items.jsonl") -> None:
        self.clock = Clock()
        self.path = path / name
        self.failures: list[BaseException] = []
        clock: Any = self.clock
        clock.wall = self.clock.seconds
        machine = Machine(clock=clock, random=lambda: 0.0, drive=driver(None), pools=InlinePool, reactor=None)
        outbox: Any = server
        anew: Any = self
        self.feeds = WholeFeeds(anew, outbox, machine=machine, events=Events())
        self.feeds.broken.addCallback(self.failures.append)
        self.run(self.feeds.open())

    def make(self) -> Sequence[Feed]:
        core = CoreSettings(FEEDS={str(self.path): {"overwrite": True}})
        return make_feeds(core.FEEDS, core, spider_name="s", started=datetime.fromtimestamp(0, UTC))

    def run(self, coroutine: Any) -> Any:
        done: list[Any] = []
        Deferred.fromCoroutine(coroutine).addBoth(done.append)
        for _ in range(20):
            if done:
                break
            self.clock.advance(0.5)
        assert not hasattr(done[0], "raiseException"), done[0]
        return done[0]

    def look(self) -> None:
        self.run(self.feeds.pull())
        self.clock.advance(1.0)

    def close(self) -> list[tuple[str, int]]:
        closed: list[tuple[str, int]] = self.run(self.feeds.close(finished=True))
        return closed

    def written(self) -> list[int]:
        return [json.loads(line)["n"] for line in self.path.read_text().splitlines()]


def _items(*numbers: int) -> list[dict[str, int]]:
    return [{"n": number} for number in numbers]


def test_what_workers_commit_is_written_in_order_and_marked(tmp_path: Path) -> None:
    server = Server()
    writer = Writer(server, tmp_path)
    server.items += _items(1, 2)
    writer.look()
    server.items += _items(3)
    writer.look()
    assert writer.close() == [(str(tmp_path / "items.jsonl"), 3)]
    assert writer.written() == [1, 2, 3]


def test_another_writer_goes_on_at_the_mark_of_the_server(tmp_path: Path) -> None:
    server = Server()
    first = Writer(server, tmp_path)
    server.items += _items(1, 2)
    first.look()
    server.items += _items(3)
    first.run(first.feeds.close(finished=False))
    second = Writer(server, tmp_path)
    server.items += _items(4)
    second.look()
    second.close()
    assert second.written() == [1, 2, 3, 4]


class Busy(Server):
    """Another item is committed whenever items are asked for."""

    def unfed_items(self, after: int, count: int) -> Deferred[list[tuple[int, Any]]]:
        if len(self.items) < 5:
            self.items += _items(len(self.items) + 1)
        return super().unfed_items(after, count)


def test_what_is_committed_while_the_feeds_are_opened_is_written_once(tmp_path: Path) -> None:
    server = Busy()
    server.items += _items(1, 2)
    writer = Writer(server, tmp_path)
    writer.look()
    writer.close()
    assert writer.written() == [1, 2, 3, 4, 5]


def test_a_server_that_goes_back_brings_other_items_and_the_file_is_cut_to_where_it_stands(tmp_path: Path) -> None:
    server = Server()
    writer = Writer(server, tmp_path)
    server.items += _items(1, 2)
    writer.look()
    state = server.state()
    server.items += _items(3, 4)
    writer.look()
    assert writer.written() == [1, 2, 3, 4]
    server.go_back(state)
    server.items += _items(40, 30)
    writer.look()
    writer.close()
    assert writer.written() == [1, 2, 40, 30]
    assert writer.failures == []


def test_items_that_were_pulled_and_not_marked_are_pulled_anew_from_a_server_that_went_back(tmp_path: Path) -> None:
    server = Server()
    writer = Writer(server, tmp_path)
    state = server.state()
    server.items += _items(1, 2)
    writer.run(writer.feeds.pull())  # they wait in memory to be written
    server.go_back(state)
    server.items += _items(2)
    writer.clock.advance(1.0)
    server.items += _items(1)
    writer.look()
    writer.close()
    assert writer.written() == [2, 1]
    assert writer.failures == []


def test_a_server_that_goes_back_at_the_very_end_is_met_by_the_close(tmp_path: Path) -> None:
    server = Server()
    writer = Writer(server, tmp_path, "items.csv")
    server.items += _items(1)
    writer.look()
    state = server.state()
    server.items += _items(2)
    writer.run(writer.feeds.pull())
    server.go_back(state)
    server.items += _items(3)
    writer.close()
    assert (tmp_path / "items.csv").read_text().split() == ["n", "1", "3"]


class Restless(Server):
    """Goes back while the feeds are being opened, for the next ``times``."""

    times = 0

    def open(self, names: Sequence[str]) -> Deferred[tuple[dict[str, Any], int]]:
        opened = super().open(names)
        if self.times:
            self.times -= 1
            self.go_back(self.state())
        return opened


def test_a_server_that_goes_back_again_while_the_feeds_are_opened_again_is_followed(tmp_path: Path) -> None:
    server = Restless()
    writer = Writer(server, tmp_path)
    server.items += _items(1, 2)
    writer.look()
    state = server.state()
    server.items += _items(3)
    writer.look()
    server.go_back(state)
    server.times = 2
    server.items += _items(30, 40)
    writer.look()
    writer.close()
    assert writer.written() == [1, 2, 30, 40]
    assert writer.failures == []


def test_a_server_that_goes_back_while_the_feeds_are_opened_is_followed(tmp_path: Path) -> None:
    server = Restless()
    server.times = 1
    server.items += _items(1, 2)
    writer = Writer(server, tmp_path)
    writer.close()
    assert writer.written() == [1, 2]
    assert writer.failures == []
