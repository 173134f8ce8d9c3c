"""What may be done to a crawl of many workers, and what its companions see of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred, ensureDeferred, succeed
from twisted.internet.task import Clock as TwistedClock

from crawler.assembly.job import ItemCodec
from crawler.assembly.making import make
from crawler.commands.cluster.control import ClusterControl
from crawler.config.schema import CoreSettings
from crawler.config.settings import Settings
from crawler.engine.steering.live import LiveSettings
from crawler.errors import SteeringError
from crawler.events import Events, Steered
from crawler.spider import Spider, spider_of
from crawler.stats import Stats
from crawler.storage.cluster import library
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.jobcalls import JobCalls
from crawler.storage.cluster.trace import ServerTraces
from crawler.storage.cluster.wire import Put
from crawler.storage.codec import Codec
from tests.cluster.simulated import KEY
from tests.cluster.test_looking import Working

pytestmark = pytest.mark.process


class Shop(Spider):
    name = "shop"

    def parse(self, response: Any) -> None:
        """Nothing."""


class Wall(TwistedClock):
    def wall(self) -> float:
        return 1000.0 + self.seconds()


class AtOnce:
    """A line whose calls are made at once."""

    def __init__(self, connection: Connection) -> None:
        self.calls = JobCalls(connection, KEY)

    def run(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        return succeed(function(*arguments))

    def tell(self, facts: dict[str, Any]) -> Deferred[None]:
        kept = {name: b"" if value is None else Codec().encode(value) for name, value in facts.items()}
        return self.run(self.calls.tell, kept)

    def told(self, prefix: str) -> Deferred[dict[str, Any]]:
        return succeed({name: Codec().decode(value) for name, value in self.calls.told_of(prefix).items() if value})


class Whole:
    """A crawl that is steered."""

    def __init__(self) -> None:
        self.events, self.stats = Events(), Stats()
        self.live = LiveSettings(CoreSettings(), Wall(), self.events, None, anew=["DOWNLOAD_DELAY"])  # type: ignore[arg-type]
        self.phase = "running"
        self.reasons: list[str] = []
        self.steered: list[Steered] = []
        self.events.subscribe(Steered, self.steered.append)

    def stop(self, reason: str = "shutdown") -> None:
        self.reasons.append(reason)


@pytest.fixture
def whole() -> Whole:
    return Whole()


@pytest.fixture
def control(connection: Connection, whole: Whole) -> ClusterControl:
    library.load(connection)
    JobCalls(connection, KEY).create(())
    return made(connection, whole)


def made(connection: Connection, whole: Whole) -> ClusterControl:
    making = make(Shop, Settings(), {})
    spider = spider_of(making.crawler)
    return ClusterControl(
        whole,
        AtOnce(connection),  # type: ignore[arg-type]
        Wall(),  # type: ignore[arg-type]
        acceptance=making.acceptance(spider),
        codec=ItemCodec(spider),
        newest=False,
        explains=lambda request: succeed([request.url]),
    )


def facts_of(worker: Working) -> dict[str, Any]:
    return {name: value and Codec().decode(value) for name, value in worker.turn().facts}  # type: ignore[attr-defined]


def test_a_pause_is_told_to_all_workers_and_ends_with_a_resume_of_the_job(
    control: ClusterControl, connection: Connection, whole: Whole
) -> None:
    worker = Working(connection, "w1")
    assert "until `resume`" in control.pause(None, who="page")
    control.pause("b", who="attach root")
    assert facts_of(worker) == {"live:paused": [True, "page", 1000.0], "live:paused@b": [True, "attach root", 1000.0]}
    with pytest.raises(SteeringError, match="the crawl is paused already"):
        control.pause(None, who="page")
    assert control.resume("b", who="page") == "b is asked again"
    assert facts_of(worker) == {"live:paused@b": [False, "page", 1000.0]}
    assert [(each.who, each.refused) for each in whole.steered] == [
        ("page", False), ("attach root", False), ("page", True), ("page", False),
    ]  # fmt: skip


def test_a_setting_is_told_to_all_and_a_resume_has_it_unless_it_is_given_anew(
    control: ClusterControl, connection: Connection
) -> None:
    worker = Working(connection, "w1")
    assert control.set("DOWNLOAD_DELAY", "2", host=None, who="page") == "DOWNLOAD_DELAY is 2, it was 0"
    control.set("CONCURRENT_REQUESTS_PER_DOMAIN", "3", host="b", who="page")
    assert facts_of(worker) == {
        "live:DOWNLOAD_DELAY": [2.0, "page", 1000.0],
        "live:CONCURRENT_REQUESTS_PER_DOMAIN@b": [3, "page", 1000.0],
    }
    assert control.live()["DOWNLOAD_DELAY"].value == 2.0
    with pytest.raises(SteeringError, match="DOWNLOAD_DELAY"):
        control.set("DOWNLOAD_DELAY", "-1", host=None, who="page")
    control.pause(None, who="page")
    resumed = made(connection, Whole())
    ensureDeferred(resumed.open())
    assert resumed.live()["DOWNLOAD_DELAY"].value == 0.0
    assert resumed.live()["CONCURRENT_REQUESTS_PER_DOMAIN"].hosts == {"b": 3}
    assert facts_of(worker) == {"live:DOWNLOAD_DELAY": None, "live:paused": [False, "resume", 1000.0]}


def test_what_is_added_is_queued_as_of_start_and_what_may_not_is_refused(
    control: ClusterControl, connection: Connection
) -> None:
    assert control.add("http://b/new", who="page") == "http://b/new is asked for"
    worker = Working(connection, "w1")
    worker.turn(wants=["b"])
    [[row]] = worker.turn(takes=[("b", 5)]).takes  # type: ignore[attr-defined]
    assert b"http://b/new" in row.payload
    for url, why in (
        ("file:///etc/passwd", "come from start"),
        ("nothing", "no URL that can be asked for"),
    ):
        with pytest.raises(SteeringError, match=why):
            control.add(url, who="page")


def test_a_dropped_queue_ends_on_the_server_also_what_waits_for_its_time(
    control: ClusterControl, connection: Connection, whole: Whole
) -> None:
    for number in range(3):
        control.add(f"http://b/{number}", who="page")
    control.add("http://127.0.0.1/stays", who="page")
    worker = Working(connection, "w1")
    worker.turn(wants=["b"])
    [[row]] = worker.turn(takes=[("b", 1)]).takes  # type: ignore[attr-defined]
    worker.turn(returns=[Put(row.place, "b", 0, row.payload, 60_000)])
    said: list[str] = []
    control.drop("b", who="page").addCallback(said.append)
    assert said[0].startswith("dropped 3 requests to b on the server")
    assert facts_of(worker)["live:dropped@b"] == [True, "page", 1000.0]
    state = JobCalls(connection, KEY).state()
    assert (state.queued, state.done, state.dropped) == (1, 3, 3)
    traces = ServerTraces(connection, KEY, hash, lambda request: "b")
    assert {(record.url, record.reason) for _, record in traces.records()} == {
        (f"http://b/{number}", "by_hand") for number in range(3)
    }
    assert whole.stats.get_value("request_dropped/by_hand") == 3
    control.drop("b", who="page").addCallback(said.append)
    assert said[1].startswith("dropped 0 requests")


def test_a_crawl_that_stops_is_not_steered(control: ClusterControl, whole: Whole) -> None:
    control.stop(who="page")
    assert whole.reasons == ["shutdown"]
    whole.phase = "stopping"
    with pytest.raises(SteeringError, match="the crawl is stopping, and cannot be steered"):
        control.pause(None, who="page")


def test_an_explanation_is_of_a_url(control: ClusterControl) -> None:
    said: list[list[str]] = []
    control.explain("http://b/1").addCallback(said.append)
    assert said == [["http://b/1"]]
    with pytest.raises(SteeringError, match="no URL"):
        control.explain("what")
