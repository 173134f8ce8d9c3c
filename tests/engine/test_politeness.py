"""How often is a host asked? Delays, Crawl-delay, the throttle and Retry-After together: the slowest wins."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from crawler import testing
from crawler.config.schema import CoreSettings
from crawler.engine.waiting import throttle
from crawler.engine.waiting.throttle import Throttle
from crawler.errors import FetchTimeout
from crawler.events import Events, HostPaced, RequestEnded
from crawler.frontier.frontier import Frontier, HostLimits, LimitsByHost
from crawler.frontier.host import Entry
from tests.engine.polite import CALM, A, B, StandingClock, numbered, site
from tests.engine.virtual import Request, Response, crawl, later


def gaps(result: testing.Result, origin: str = A) -> list[float]:
    times = [sent.when for sent in result.sent if sent.url.startswith(origin)]
    return [after - before for before, after in pairwise(times)]


def ends(result: testing.Result) -> list[str]:
    return [event.outcome for event in result.happened(RequestEnded)]


@pytest.mark.parametrize(
    ("delay", "crawl_delay", "longest", "expected"),
    [(2.0, 5, 60.0, 5.0), (5.0, 2, 60.0, 5.0), (0.0, 30, 10.0, 10.0), (20.0, 30, 10.0, 20.0), (0.0, 0, 60.0, 0.0)],
)
def test_the_longer_of_delay_and_crawl_delay_holds(
    delay: float, crawl_delay: float, longest: float, expected: float
) -> None:
    settings = {**CALM, "DOWNLOAD_DELAY": delay, "ROBOTSTXT_MAX_DELAY": longest}
    result = crawl(numbered(6), site(f"User-agent: *\nCrawl-delay: {crawl_delay}"), settings=settings)
    assert len(result.urls) == 6
    assert min(gaps(result)) >= expected - 1e-9
    assert max(gaps(result)[1:]) <= expected + 0.1


def test_jitter_never_shortens_a_crawl_delay() -> None:
    settings = {**CALM, "RANDOMIZE_DOWNLOAD_DELAY": True}
    result = crawl(numbered(20), site("User-agent: *\nCrawl-delay: 3"), settings=settings)
    assert min(gaps(result)) >= 3 - 1e-9
    assert max(gaps(result)) <= 4.6


def test_of_several_origins_at_one_host_the_slowest_sets_the_pace() -> None:
    def answer(request: Request) -> Any:
        if request.url.endswith("/robots.txt"):
            return "User-agent: *\nCrawl-delay: 4" if request.url.startswith("https") else ""
        return "x"

    result = crawl(numbered(5, A, "https://a.test"), answer, settings=CALM)
    times = [sent.when for sent in result.sent][2:]
    assert min(after - before for before, after in pairwise(times[8:])) >= 4 - 1e-9


@pytest.mark.parametrize("robots_first", [True, False])
def test_the_throttle_begins_at_the_crawl_delay(robots_first: bool) -> None:
    """Half a second would change nothing for a host that is asked every ten."""
    robots: Any = "User-agent: *\nCrawl-delay: 10"
    answers = iter([robots] if robots_first else [429, robots])
    settings = {**CALM, "CONCURRENT_REQUESTS_PER_DOMAIN": 1, "RETRY_ENABLED": not robots_first, "RETRY_TIMES": 1}

    def answer(request: Request) -> Any:
        return next(answers) if request.url.endswith("/robots.txt") else 429

    result = crawl(numbered(3), answer, settings=settings)
    delays = [event.delay for event in result.happened(HostPaced)]
    assert delays[:3] == [20, 40, 60] if robots_first else delays[:3] == [0.5, 20, 40]
    assert result.sent[-1].when - result.sent[-2].when >= 40


def test_a_host_that_recovers_is_asked_at_its_crawl_delay_again() -> None:
    count = iter(range(10_000))

    def page(request: Request) -> Any:
        return 503 if next(count) == 3 else "x"

    settings = {**CALM, "CONCURRENT_REQUESTS_PER_DOMAIN": 1}
    result = crawl(numbered(150), site("User-agent: *\nCrawl-delay: 2", page), settings=settings)
    found = gaps(result)
    assert min(found) >= 2 - 1e-9
    assert max(found[3:6]) >= 4 - 1e-9
    assert max(found[-10:]) <= 2.05


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_holds_the_whole_host_and_no_other(status: int) -> None:
    asked = iter([Response(f"{A}/0", status, {"Retry-After": "100"})])

    def page(request: Request) -> Any:
        return next(asked, "x") if request.url.startswith(A) else "x"

    settings = {**CALM, "CONCURRENT_REQUESTS_PER_DOMAIN": 1}
    result = crawl(numbered(10, A, B), site("", page), settings=settings)
    assert ends(result) == ["answered"] * 20
    times = [sent.when for sent in result.sent if sent.url.startswith(A)]
    assert times[2] - times[1] == pytest.approx(100, abs=0.2)
    assert max(gaps(result, B)) < 1


def test_retry_after_may_be_a_date_and_is_bounded() -> None:
    for value, seconds in [("Tue, 14 Nov 2023 22:15:00 GMT", 100), ("9999999", 600), ("soon", 0), ("0", 0)]:
        asked = iter([Response(f"{A}/0", 503, {"Retry-After": value})])
        settings = {**CALM, "CONCURRENT_REQUESTS_PER_DOMAIN": 1}
        result = crawl(numbered(3), site("", lambda request, asked=asked: next(asked, "x")), settings=settings)  # type: ignore[misc]
        assert max(gaps(result)) == pytest.approx(seconds, abs=1.1), value


def test_retry_after_is_not_undone_by_the_throttles_new_delay() -> None:
    """Several answers come at once, and each cut works the next send time out anew."""
    count = iter(range(10_000))

    def page(request: Request) -> Any:
        number = next(count)
        if number == 0:
            return Response(request.url, 429, {"Retry-After": "300"})
        return 429 if number < 8 else "x"

    result = crawl(numbered(30), site("", page), settings=CALM)
    times = [sent.when for sent in result.sent]
    assert [when for when in times if 1 < when < 300] == []
    assert ends(result) == ["answered"] * 30


@pytest.mark.parametrize("settings", [{"THROTTLE_ENABLED": False}, {"RETRY_AFTER_MAX": 0.0}])
def test_where_retry_after_does_not_hold_the_host(settings: dict[str, Any]) -> None:
    asked = iter([Response(f"{A}/0", 503, {"Retry-After": "100"})])
    result = crawl(numbered(20), site("", lambda request: next(asked, "x")), settings={**CALM, **settings})
    assert len([sent for sent in result.sent if sent.when < 50]) >= 20


def test_a_slot_of_its_own_has_its_own_pace_and_obeys_the_same_crawl_delay() -> None:
    result = crawl(numbered(4, A, download_slot="mine"), site("User-agent: *\nCrawl-delay: 3"), settings=CALM)
    assert len(result.urls) == 4
    assert min(gaps(result)) >= 3 - 1e-9


def test_hosts_do_not_wait_for_each_other() -> None:
    def answer(request: Request) -> Any:
        if request.url.endswith("/robots.txt"):
            return "User-agent: *\nCrawl-delay: 50" if request.url.startswith(A) else ""
        return "x"

    result = crawl(numbered(20, A, B), answer, settings=CALM)
    assert max(sent.when for sent in result.sent if sent.url.startswith(B)) < 5
    assert min(gaps(result, A)) >= 50 - 1e-9


def test_a_resume_is_as_slow_as_the_crawl_was(tmp_path: Path) -> None:
    settings = {**CALM, "CONCURRENT_REQUESTS_PER_DOMAIN": 1, "RETRY_ENABLED": False}
    count = iter(range(10_000))

    def page(request: Request) -> Any:
        return 429 if next(count) < 4 else "x"

    answer = site("User-agent: *\nCrawl-delay: 2", page)
    first = crawl(
        numbered(12),
        answer,
        job=tmp_path / "job",
        settings=settings,
        during=lambda ready: later(ready, 120.0, ready.stop, "shutdown"),
    )
    slowest = first.happened(HostPaced)[-1].delay
    assert slowest == 32
    second = crawl(numbered(12), answer, job=tmp_path / "job", settings=settings)
    assert second.urls
    assert not [sent for sent in second.sent if sent.url.endswith("/robots.txt")]
    assert min(gaps(second)) >= 0.9 * slowest - 1e-9


# What is forgotten


class World:
    """A pace with its frontier."""

    def __init__(self, **settings: Any) -> None:
        core = CoreSettings(**settings)
        limits = LimitsByHost(HostLimits(core.CONCURRENT_REQUESTS_PER_DOMAIN, core.DOWNLOAD_DELAY, None))
        self.clock: Any = StandingClock()
        self.frontier = Frontier(window=None, limits=limits, random=lambda: 0.0, robots=False)
        self.pace = Throttle(core, self.frontier, self.clock, Events(), limits=limits, committer=None)

    def send(self, host: str) -> Entry:
        self.frontier.add(Entry(Request(f"http://{host}/"), token=0, order=1, host=host, origin=""), self.clock.now)
        entry = self.frontier.take(self.clock.now)
        assert entry is not None
        return entry

    def visit(self, number: int, outcome: Any) -> None:
        entry = self.send(f"h{number}.test")
        generation = self.pace.sending(entry.host)
        self.frontier.release(entry, self.clock.now)
        self.pace.answered(entry, outcome, generation)

    @property
    def hosts(self) -> int:
        return len(self.pace.states)


OVERLOADED = FetchTimeout("x", phase="connect")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "KEPT_HOSTS", 20)


@pytest.mark.usefixtures("few")
def test_of_many_slow_hosts_only_the_last_are_known() -> None:
    world = World(CONCURRENT_REQUESTS_PER_DOMAIN=64)
    for number in range(300):
        world.visit(number, OVERLOADED)
        world.visit(0, Response("http://h0.test/", 200))
        assert world.hosts <= 20
    assert "h0.test" in world.pace.states, "the one that is used all the time stays"
    assert len(world.frontier.hosts()) <= 20
    assert [world.send("h1.test").host for _ in range(64)] == ["h1.test"] * 64, "as many at once as at the beginning"


@pytest.mark.usefixtures("few")
def test_hosts_that_recovered_go_first() -> None:
    world = World(CONCURRENT_REQUESTS_PER_DOMAIN=2)
    for number in range(20):
        world.visit(number, OVERLOADED)
    for _ in range(5):
        world.visit(19, Response("http://h/", 200))
    assert not world.pace.states["h19.test"].slowed
    world.visit(20, OVERLOADED)
    assert "h19.test" not in world.pace.states


@pytest.mark.usefixtures("few")
def test_no_host_is_forgotten_that_is_held_or_asked_right_now() -> None:
    world = World()
    held = Response("http://h0.test/", 503, {"Retry-After": "100"})
    world.visit(0, held)
    world.visit(1, OVERLOADED)
    in_flight = world.send("h1.test")
    for number in range(2, 100):
        world.visit(number, OVERLOADED)
    assert {"h0.test", "h1.test"} <= set(world.pace.states)
    world.clock.now = 101.0
    world.frontier.release(in_flight, 101.0)
    for number in range(100, 200):
        world.visit(number, OVERLOADED)
    assert not {"h0.test", "h1.test"} & set(world.pace.states)


@pytest.mark.usefixtures("few")
def test_a_delay_is_not_forgotten_before_it_has_passed() -> None:
    world = World(DOWNLOAD_DELAY=30.0)
    for number in range(100):
        world.visit(number, OVERLOADED)
    assert world.hosts == 100
    world.clock.now = 61.0
    for number in range(100, 200):
        world.visit(number, OVERLOADED)
    assert "h0.test" not in world.pace.states


@pytest.mark.usefixtures("few")
def test_what_is_forgotten_is_not_taken_back_by_a_resume() -> None:
    world = World()
    facts: dict[str, Any] = {}
    for number in range(100):
        world.visit(number, OVERLOADED)
        facts.update(world.pace.changed_facts())
    assert sum(value is not None for value in facts.values()) == world.hosts
    resumed = World()
    resumed.pace.restore_facts(facts)
    assert set(resumed.pace.states) == set(world.pace.states)
