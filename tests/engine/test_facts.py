"""What a job remembers may come again in the middle of a crawl, from other workers: does it do no harm?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from crawler import Spider
from crawler.engine.ending import Ending
from crawler.engine.keeping.facts import Facts, SpiderState, StatsFacts, summed_stats
from crawler.engine.life import Capacity, Life, Phase
from crawler.events import CrawlClosing, Events, SpiderFailed
from crawler.model.response import Response
from crawler.policy.throttle import HostThrottle
from crawler.stats import Stats
from tests.engine.test_politeness import OVERLOADED, World
from tests.engine.test_robots_in_time import Gate

SLOW = b"User-agent: *\nCrawl-delay: 5"


def throttled(host: str, concurrency: int, delay: float) -> dict[str, Any]:
    return {f"throttle:{host}": list(HostThrottle(8, 0.0, concurrency, delay, generation=7))}


def pace(world: World, number: int) -> tuple[int, float]:
    state = world.pace.states[f"h{number}.test"]
    return state.concurrency, state.delay


def test_a_throttle_state_slows_a_host_down_and_never_lets_it_go_faster() -> None:
    world = World()
    for facts in [throttled("h0.test", 1, 4.0), throttled("h0.test", 4, 0.0), throttled("h0.test", 8, 0.0)]:
        for _ in range(2):
            world.pace.restore_facts(facts)
        assert pace(world, 0) == (1, 4.0)


def test_a_throttle_state_from_elsewhere_does_not_undo_what_was_learned_here() -> None:
    world = World()
    world.visit(0, OVERLOADED)
    assert pace(world, 0) == (4, 0.0)
    world.pace.restore_facts(throttled("h0.test", 2, 0.0))
    assert pace(world, 0) == (2, 0.0)
    for _ in range(5):
        world.visit(0, Response("http://h0.test/", 200))
    assert pace(world, 0) == (3, 0.0), "it recovers from there"


def test_a_wait_only_grows() -> None:
    world = World()
    wall = world.clock.wall()
    for until in (wall + 30, wall + 10, wall - 10, wall + 30):
        world.pace.restore_facts({"wait:h0.test": [until, 60.0]})
    assert world.frontier.asked_again_at("h0.test") == world.clock.seconds() + 30


def test_a_robots_file_that_another_worker_fetched_opens_its_origin() -> None:
    one, other = Gate(durable=True), Gate(durable=True)
    one.visit(1, SLOW)
    facts = one.gate.changed_facts()
    other.add(1)
    for _ in range(2):
        other.gate.restore_facts(facts)
    assert other.gate.changed_facts() == {}
    assert other.frontier.crawl_delay("h1.test") == 5.0
    sent = other.take()
    assert sent is not None
    assert not sent.robots


def test_an_older_robots_file_does_not_replace_the_one_that_was_fetched_here() -> None:
    world = Gate(durable=True)
    world.clock.now = 100.0
    world.visit(1, SLOW)
    world.gate.restore_facts({"robots:http://h1.test": {"wall": world.clock.wall() - 50.0, "body": b""}})
    assert world.frontier.crawl_delay("h1.test") == 5.0
    world.gate.restore_facts({"robots:http://h1.test": None})
    assert world.frontier.crawl_delay("h1.test") == 5.0
    world.clock.now = 200.0
    world.gate.restore_facts({"robots:http://h1.test": {"wall": world.clock.wall() - 50.0, "body": b""}})
    assert world.frontier.crawl_delay("h1.test") == 0.0, "a newer one does"


def kept(stats: Stats) -> Any:
    return StatsFacts(stats).changed_facts()["stats"]


def test_the_stats_of_workers_are_summed_by_what_they_are() -> None:
    early, late = datetime(2030, 1, 1, tzinfo=UTC), datetime(2030, 1, 2, tzinfo=UTC)
    one = Stats({"start_time": early, "finish_time": early, "finish_reason": "finished", "elapsed_time_seconds": 5.0})
    other = Stats({"start_time": late, "finish_time": late, "finish_reason": "shutdown", "elapsed_time_seconds": 7.0})
    for stats, pages in (one, 3), (other, 4):
        stats.counts["pages"] += pages
        stats.max_value("longest", pages)
        stats.min_value("shortest", pages)
        stats.inc_value("shares", 0.5)
    other.inc_value("only here")
    assert summed_stats([kept(one), kept(other)]) == {
        "start_time": early,
        "finish_time": late,
        "finish_reason": "shutdown",
        "elapsed_time_seconds": 7.0,
        "pages": 7,
        "longest": 4,
        "shortest": 3,
        "shares": 1.0,
        "only here": 1,
    }
    assert summed_stats([]) == {}


def test_a_resume_still_knows_which_of_the_stats_are_extremes() -> None:
    before, after = Stats(), Stats()
    before.max_value("longest", 9)
    StatsFacts(after).restore_facts({"stats": kept(before)})
    assert after.get_stats() == {"longest": 9}
    assert summed_stats([kept(after), {"longest": 3}, kept(after)])["longest"] == 9


def test_values_of_different_kinds_under_one_key_stop_no_sum() -> None:
    assert summed_stats([{"a": 1, "b": "x"}, {"a": None, "b": 2}, {"a": 2.5, "b": 3}]) == {"a": 2.5, "b": 5}


class Counting(Spider):
    name = "counting"


@pytest.mark.parametrize("before", [None, {"known": [1]}])
def test_state_that_a_worker_of_a_shared_job_changes_ends_the_crawl_and_is_told_once(before: Any) -> None:
    spider, told = Counting(), []
    spider.state = before
    events = Events()
    events.subscribe(SpiderFailed, told.append)
    events.subscribe(CrawlClosing, told.append)
    ending = Ending(Life(Capacity(1, 1, 1)), events)
    ending.life.enter(Phase.RUNNING)
    facts = Facts([SpiderState(spider, shared=True)], [], ending)
    assert (facts.changed(), told) == ({}, [])
    spider.state = {"known": [1, 2]}
    assert facts.changed() == facts.changed() == {}
    failed, closing = told
    assert (failed.callback, closing.reason) == ("spider.state", "spider_state")
    assert "memory_dict" in str(failed.error)
    assert (ending.failures, ending.reason) == (1, "spider_state")
