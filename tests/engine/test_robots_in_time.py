"""robots.txt over hours and days: when it is asked for, what its outcome does to the origin, and what is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from crawler import errors, testing
from crawler.config.schema import CoreSettings
from crawler.engine.waiting import robots
from crawler.engine.waiting.robots import RobotsGate
from crawler.events import RequestEnded
from crawler.frontier.frontier import Frontier, HostLimits, LimitsByHost
from crawler.frontier.host import Entry
from tests.engine.polite import A, B, StandingClock, pages, site
from tests.engine.virtual import Request, Response, Spider, crawl, later

HOUR = 3600.0
DAY = 24 * HOUR
SECURE = "https://a.test"
FORBIDDEN = "User-agent: *\nDisallow: /no"
OBEY = {"ROBOTSTXT_OBEY": True, "RETRY_BACKOFF": 1.0, "ROBOTSTXT_RETRY_SECONDS": 600.0}


def run(made: type[Spider], answer: Callable[[str, float], Any], **more: Any) -> testing.Result:
    return crawl(made, site(answer), settings={**OBEY, **more.pop("settings", {})}, **more)


def asked(result: testing.Result, origin: str = A) -> list[float]:
    """Return when robots.txt of an origin was asked for."""
    return [sent.when for sent in result.sent if sent.url == f"{origin}/robots.txt"]


def ends(result: testing.Result) -> list[str]:
    return [event.reason or event.outcome for event in result.happened(RequestEnded)]


# A day


def test_an_answer_holds_for_a_day_and_is_asked_for_again_when_it_is_needed() -> None:
    made = pages(*(f"{A}/{number}" for number in range(60)), every=HOUR)
    result = run(made, lambda origin, now: FORBIDDEN)
    assert len(result.urls) == 60
    assert [round(when / HOUR) for when in asked(result)] == [0, 25, 50]


def test_what_the_new_file_says_holds_from_then_on() -> None:
    made = pages(*(f"{A}/no{number}" for number in range(4)), every=13 * HOUR)
    result = run(made, lambda origin, now: FORBIDDEN if now > DAY else "")
    assert ends(result) == ["answered", "answered", "robots", "robots"]


def test_a_crawl_delay_that_is_gone_is_obeyed_no_longer() -> None:
    urls = [f"{A}/{number}" for number in range(3)]
    made = pages(*urls, *(f"{B}/{number}" for number in range(3)), *(f"{A}/late{number}" for number in range(5)))

    async def start(self: Spider) -> AsyncIterator[Any]:
        for url in urls:
            yield Request(url)
        await asyncio.sleep(DAY + HOUR)
        for number in range(5):
            yield Request(f"{A}/late{number}")

    made.start = start  # type: ignore[method-assign]
    result = run(made, lambda origin, now: "User-agent: *\nCrawl-delay: 30" if now < DAY else "", settings={})
    assert result.sent[2].when - result.sent[1].when >= 30
    assert result.sent[-1].when - result.sent[-2].when < 1


def test_yesterdays_rules_hold_while_the_file_cannot_be_had_again() -> None:
    """RFC 9309 §2.4: a cached file may be older than a day if robots.txt is unreachable."""
    made = pages(*(f"{A}/{kind}{number}" for number in range(15) for kind in ("yes", "no")), every=HOUR)
    result = run(made, lambda origin, now: FORBIDDEN if now < HOUR or now > 28.5 * HOUR else 503)
    assert ends(result) == ["answered", "robots"] * 15
    hours = [when / HOUR for when in asked(result)]
    assert hours[0] == 0
    assert [round(hour) for hour in hours[1:]] == [25] * 3 + [27] * 3 + [29]


@pytest.mark.parametrize("answer", [429, 503, errors.ConnectionFailed("x")])
def test_no_outcome_of_a_busy_site_undoes_what_it_forbade(answer: Any) -> None:
    made = pages(f"{A}/1", f"{A}/2", f"{A}/no", every=13 * HOUR)
    result = run(made, lambda origin, now: FORBIDDEN if now < DAY else answer)
    assert ends(result) == ["answered", "answered", "robots"]


def test_rules_of_a_month_ago_hold_no_longer() -> None:
    made = pages(*(f"{A}/{number}" for number in range(40)), every=DAY)
    result = run(made, lambda origin, now: FORBIDDEN if now < DAY else 500)
    # the last request that may go by them is sent while the file is asked for once more
    assert ends(result)[:30] == ["answered"] * 30
    assert ends(result)[32:] == ["RobotsUnreachable"] * 8


# Out of reach


def test_an_origin_out_of_reach_is_closed_asked_again_later_and_opened() -> None:
    made = pages(*(f"{A}/{number}" for number in range(12)), every=100.0)
    result = run(made, lambda origin, now: errors.NameNotResolved("gone") if now < 300 else FORBIDDEN)
    assert ends(result) == ["NameNotResolved"] * 7 + ["answered"] * 5
    first = asked(result)
    assert first[0] == 0
    assert 0.5 <= first[1] - first[0] <= 1.1
    assert 1 <= first[2] - first[1] <= 2.1
    assert len(first) == 4
    assert first[3] == pytest.approx(700, abs=0.1)


@pytest.mark.parametrize("error", [errors.TLSError("x"), errors.BodyTooLarge("x"), errors.AddressForbidden("x")])
def test_what_would_only_repeat_itself_is_not_tried_again(error: Exception) -> None:
    result = run(pages(f"{A}/1"), lambda origin, now: error)
    assert ends(result) == [type(error).__name__]
    assert len(asked(result)) == 1


@pytest.mark.parametrize(
    "error",
    [
        errors.NameNotResolved("no address"),
        errors.ConnectionFailed("refused"),
        errors.FetchTimeout("too slow", phase="connect"),
        errors.TLSError("not trusted"),
    ],
)
def test_the_errback_of_a_dead_host_gets_the_error_of_its_connection(error: errors.FetchError) -> None:
    failures: list[Any] = []

    async def start(self: Spider) -> AsyncIterator[Request]:
        for number in range(2):
            yield Request(f"{A}/{number}", errback=failures.append)

    run(type("Asks", (Spider,), {"name": "asks", "start": start}), lambda origin, now: error)
    first, second = failures
    for failure in failures:
        assert failure.check(type(error))
        assert type(failure.value) is type(error)
        assert str(failure.value) == f"robots.txt of {A}:80 could not be fetched ({type(error).__name__}: {error})"
        assert failure.value.__cause__ is error
        assert not failure.value.sent
    assert first.value is not second.value
    assert [failure.value.request.url for failure in failures] == [f"{A}/0", f"{A}/1"]
    assert vars(first.value).get("phase") == vars(error).get("phase")


def test_a_redirect_to_an_origin_out_of_reach_does_not_have_it_asked_again() -> None:
    made = pages(f"{B}/0", *(f"{A}/{number}" for number in range(1, 11)), every=20.0)

    def page(request: Request) -> Any:
        moved = request.url.startswith(A)
        return Response(request.url, 302, {"Location": request.url.replace(A, B)}) if moved else "x"

    result = crawl(made, site(lambda origin, now: 500 if origin == B else "", page), settings=OBEY)
    assert ends(result) == ["RobotsUnreachable"] * 11
    assert len(asked(result, B)) == 3


@pytest.mark.parametrize("status", [429, 503])
def test_the_time_that_robots_txt_asks_for_is_waited(status: int) -> None:
    answers = iter([Response(f"{A}/robots.txt", status, {"Retry-After": "120"}), FORBIDDEN])
    result = run(pages(f"{A}/1", f"{A}/no"), lambda origin, now: next(answers))
    assert asked(result) == [0.0, pytest.approx(120, abs=0.1)]
    assert sorted(ends(result)) == ["answered", "robots"]


def test_a_429_that_stays_is_an_answer() -> None:
    """RFC 9309 §2.3.1.3: as any other 4xx."""
    result = run(pages(f"{A}/no"), lambda origin, now: 429)
    assert ends(result) == ["answered"]
    assert len(asked(result)) == 3


def test_a_huge_file_is_read_as_far_as_the_limit() -> None:
    long = FORBIDDEN.encode() + b"\n" + b"# much\n" * 400_000 + b"Disallow: /late\n"
    assert ends(run(pages(f"{A}/no", f"{A}/late"), lambda origin, now: long)) in (
        ["robots", "answered"],
        ["answered", "robots"],
    )


# Redirects and origins


@pytest.mark.parametrize(("hops", "ended"), [(1, "robots"), (5, "robots"), (6, "answered")])
def test_five_redirects_are_followed_also_to_other_hosts(hops: int, ended: str) -> None:
    def answer(request: Request) -> Any:
        url = request.url
        if url == f"{A}/robots.txt":
            return Response(url, 301, {"Location": "http://h1.test/robots"})
        host, _, path = url.removeprefix("http://").partition(".test/")
        if path == "robots":
            number = int(host[1:])
            return (
                FORBIDDEN if number == hops else Response(url, 302, {"Location": f"http://h{number + 1}.test/robots"})
            )
        return "x"

    result = crawl(pages(f"{A}/no"), answer, settings=OBEY)
    assert ends(result) == [ended]
    assert len(result.sent) == min(hops, 5) + 1 + (ended == "answered")


def test_a_redirect_that_leads_nowhere_means_there_is_no_file() -> None:
    for location in ("ftp://a.test/robots.txt", "http://[", "data:,User-agent:*%0ADisallow:/", None):
        headers = {} if location is None else {"Location": location}
        result = run(pages(f"{A}/no"), lambda origin, now, head=headers: Response(f"{A}/robots.txt", 301, head))
        assert ends(result) == ["answered"]


def test_what_a_redirect_leads_to_says_nothing_of_the_other_host() -> None:
    def answer(origin: str, now: float) -> Any:
        return Response(f"{A}/robots.txt", 301, {"Location": f"{B}/robots.txt"}) if origin == A else FORBIDDEN

    result = run(pages(f"{A}/no", f"{B}/no", f"{B}/yes", every=1.0), answer)
    assert ends(result) == ["robots", "robots", "answered"]
    assert len(asked(result, B)) == 2


def test_each_scheme_host_and_port_has_a_file_of_its_own() -> None:
    origins = [A, SECURE, f"{A}:8080", "http://www.a.test"]
    result = run(pages(*(f"{origin}/no" for origin in origins)), lambda origin, now: FORBIDDEN if origin == A else "")
    assert [len(asked(result, origin)) for origin in origins] == [1] * 4
    refused = [event.request.url for event in result.happened(RequestEnded) if event.reason == "robots"]
    assert refused == [f"{A}/no"]


def test_robots_txt_is_outside_of_sessions() -> None:
    settings = {"SESSIONS": 2, "SESSION_IDENTITIES": [{"User-Agent": "visitor"}]}
    result = run(pages(f"{A}/1", f"{A}/2"), lambda origin, now: FORBIDDEN, settings=settings)
    assert len(asked(result)) == 1
    robots_request = result.sent[0].request
    assert "session" not in robots_request.meta
    assert robots_request.headers.text("User-Agent") != "visitor"


# A resume


@pytest.mark.parametrize(("away", "times"), [(HOUR, 1), (25 * HOUR, 2)])
def test_a_resume_asks_again_only_after_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, away: float, times: int
) -> None:
    made = pages(f"{A}/1", f"{A}/no", f"{A}/no2", every=10.0)

    def stopped(ready: Any) -> None:
        later(ready, 5.0, ready.stop, "shutdown")

    first = crawl(made, site(FORBIDDEN), job=tmp_path / "job", settings=OBEY, during=stopped)
    assert len(first.urls) == 1
    monkeypatch.setattr(testing, "START_OF_TIME", testing.START_OF_TIME + away)
    second = crawl(made, site(FORBIDDEN), job=tmp_path / "job", settings=OBEY)
    assert len(asked(first)) + len(asked(second)) == times
    assert ends(second) == ["robots", "robots"]


# What is forgotten


class Gate:
    """A gate with its frontier, and entries to send through."""

    def __init__(self, *, durable: bool = False, **settings: Any) -> None:
        core = CoreSettings(**settings)
        limits = LimitsByHost(HostLimits(8, core.DOWNLOAD_DELAY, None))
        self.clock: Any = StandingClock()
        self.frontier = Frontier(window=None, limits=limits, random=lambda: 0.0, robots=True)
        self.gate = RobotsGate(core, self.frontier, self.clock, "crawler/1", random=lambda: 0.0, durable=durable)

    def add(self, number: int) -> Entry:
        origin = f"http://h{number}.test"
        entry = Entry(Request(f"{origin}/x"), token=0, order=1, host=f"h{number}.test", origin=origin)
        self.frontier.add(entry, self.clock.now)
        return entry

    def take(self) -> Entry | None:
        entry = self.frontier.take(self.clock.now)
        if entry is not None:
            self.frontier.release(entry, self.clock.now)
        return entry

    def visit(self, number: int, answer: Any = b"User-agent: *\nDisallow: /no") -> list[Entry]:
        """Ask for a page of an origin and return what was sent for it."""
        self.add(number)
        sent = []
        while (entry := self.take()) is not None:
            sent.append(entry)
            if entry.robots:
                url = entry.request.url
                self.gate.answered(entry, Response(url, 200, body=answer) if isinstance(answer, bytes) else answer)
            else:
                assert self.gate.refusal(entry) is None
        return sent

    @property
    def known(self) -> int:
        return len(self.gate.known)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(robots, "KEPT_ORIGINS", 20)


@pytest.mark.usefixtures("few")
def test_of_many_origins_only_the_last_are_known() -> None:
    world = Gate()
    for number in range(500):
        assert len(world.visit(number)) == 2
        assert len(world.visit(0)) == 1, "the one that is used all the time stays"
        assert world.known <= 20
    assert "<Origins 20>" in repr(world.frontier)
    assert len(world.visit(499)) == 1
    assert len(world.visit(1)) == 2, "an origin that was forgotten is asked again"


def test_many_large_files_are_not_kept_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(robots, "KEPT_BYTES", 3_000_000)
    world = Gate()
    large = b"User-agent: *\n" + b"".join(b"Disallow: /%d\n" % number for number in range(2000))
    for number in range(50):
        world.visit(number, large)
    assert world.known <= 6
    assert world.gate.size == sum(known.size for known in world.gate.known.values())


@pytest.mark.usefixtures("few")
def test_an_origin_that_something_waits_for_is_not_forgotten() -> None:
    world = Gate(CONCURRENT_REQUESTS_PER_DOMAIN=1)
    world.visit(0)
    world.frontier.later(world.add(0), world.clock.now, 1e6)
    in_flight = world.add(1)
    while (entry := world.frontier.take(0.0)) is not in_flight:
        assert entry is not None
        world.frontier.release(entry, 0.0)
        if entry.robots:
            world.gate.answered(entry, Response(entry.request.url, 200))
    for number in range(2, 200):
        world.visit(number)
    assert {"http://h0.test", "http://h1.test"} <= set(world.gate.known)
    world.frontier.release(in_flight, 0.0)
    for number in range(200, 300):
        world.visit(number)
    assert "http://h1.test" not in world.gate.known


@pytest.mark.usefixtures("few")
def test_an_origin_is_not_forgotten_before_its_delay_has_passed() -> None:
    world = Gate()
    slow = b"User-agent: *\nCrawl-delay: 50"
    for number in range(100):
        world.visit(number, slow)
    assert world.known == 100, "their pages wait for the delay"
    world.clock.now = 51.0
    while world.take() is not None:
        pass
    for number in range(100, 200):
        world.visit(number)
    assert world.known >= 100, "their delay has not passed"
    assert "http://h0.test" in world.gate.known
    world.clock.now = 102.0
    for number in range(200, 400):
        world.visit(number)
    assert world.known <= 20
    assert "http://h0.test" not in world.gate.known


@pytest.mark.usefixtures("few")
def test_a_failure_is_not_forgotten_before_its_time() -> None:
    world = Gate(RETRY_ENABLED=False, ROBOTSTXT_RETRY_SECONDS=600.0)
    for number in range(100):
        assert [entry.robots for entry in world.visit(number, errors.ConnectionFailed("x"))] == [True]
    entry = Entry(Request("http://h0.test/y"), token=0, order=1, host="h0.test", origin="http://h0.test")
    assert world.gate.unreachable(entry) is not None
    world.clock.now = 601.0
    for number in range(100, 300):
        world.visit(number)
    assert world.known <= 20
    assert world.gate.unreachable(entry) is None


@pytest.mark.usefixtures("few")
def test_what_is_forgotten_is_not_taken_back_by_a_resume() -> None:
    world = Gate(durable=True)
    facts: dict[str, Any] = {}
    for number in range(100):
        world.visit(number)
        facts.update(world.gate.changed_facts())
    assert sum(value is not None for value in facts.values()) == world.known
    resumed = Gate(durable=True)
    resumed.gate.restore_facts(facts)
    assert resumed.known == world.known
    assert resumed.gate.changed_facts() == {}


def test_without_a_job_no_file_is_collected() -> None:
    world = Gate()
    world.visit(1)
    assert world.gate.changed_facts() == {}


def test_of_a_huge_file_the_beginning_is_asked_for() -> None:
    """The downloader cuts it (tests/download/test_contract.py); what was cut off could allow or forbid more."""
    result = run(pages(f"{A}/no", f"{A}/yes"), lambda origin, now: FORBIDDEN + "\n" + "# filler\n" * 700_000)
    assert result.sent[0].request.meta["download_cut"]
    assert ends(result) == ["robots", "answered"]
