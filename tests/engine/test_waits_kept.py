"""Does a host have its peace also when the crawl is stopped or killed, and begun again at once?

A kill is what it leaves behind: a copy of the job's file, made in the middle of the crawl.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crawler import testing
from crawler.errors import ConnectionLost, NotBegun
from crawler.events import RequestDelayed, RequestEnded
from crawler.model.request import Request
from crawler.model.response import Response
from tests.engine.polite import CALM, A, B, numbered, site
from tests.engine.virtual import crawl, later

WHEN = 2.0
"""When the first run ends, in virtual seconds."""
PAUSE = 0.5
"""How long it takes to begin again."""
RESTARTED = testing.START_OF_TIME + WHEN + PAUSE


def cut(folder: Path, how: str) -> Callable[[Any], None]:
    """Return what ends a run at WHEN: a stop, or a kill, after which only the copy counts."""

    def copy() -> None:
        for name in ("job", "job-wal"):
            shutil.copy(folder / name, folder / f"killed{name.removeprefix('job')}")

    def during(ready: Any) -> None:
        later(ready, WHEN, copy if how == "kill" else ready.stop)
        later(ready, WHEN + 0.001, ready.stop_now)

    return during


def gap_over_a_restart(
    how: str, folder: Path, answer: Callable[[Request], Any], monkeypatch: pytest.MonkeyPatch, **more: Any
) -> float:
    """Return the seconds between the last request before the end and the first after the restart."""
    made = numbered(9)
    monkeypatch.setattr(testing, "START_OF_TIME", RESTARTED - WHEN - PAUSE)
    before = crawl(made, answer, job=folder / "job", during=cut(folder, how), **more)
    monkeypatch.setattr(testing, "START_OF_TIME", RESTARTED)
    after = crawl(made, answer, job=folder / ("killed" if how == "kill" else "job"), **more)
    assert [event.outcome for event in after.happened(RequestEnded)].count("answered") >= 6
    last = max(sent.when for sent in before.sent if sent.when < WHEN)
    return WHEN + PAUSE + after.sent[0].when - last


@pytest.mark.parametrize("how", ["stop", "kill"])
@pytest.mark.parametrize(
    ("settings", "robots", "least", "latency"),
    [
        ({"DOWNLOAD_DELAY": 30.0}, 404, 30.0, 0.01),
        ({"DOWNLOAD_DELAY": 1000.0}, 404, 1000.0, 0.01),  # longer than any wait of a single request
        ({"DOWNLOAD_DELAY": 0.9}, 404, 0.9, 0.01),
        ({}, "User-agent: *\nCrawl-delay: 7", 7.0, 0.01),
        ({"DOWNLOAD_DELAY": 3.0}, 404, 3.0, 5.0),  # before anything was answered
    ],
)
def test_a_delay_does_not_end_with_the_process(
    how: str,
    settings: dict[str, Any],
    robots: Any,
    least: float,
    latency: float,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = {**CALM, "ROBOTSTXT_OBEY": robots != 404, **settings}
    gap = gap_over_a_restart(how, tmp_path, site(robots), monkeypatch, settings=settings, latency=latency)
    assert least - 1e-3 <= gap <= least + 0.7


@pytest.mark.parametrize("how", ["stop", "kill"])
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("where", ["a page", "robots.txt"])
def test_a_retry_after_does_not_end_with_the_process(
    where: str, status: int, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(request: Request) -> Any:
        is_robots = request.url.endswith("robots.txt")
        asked.append(request.url)
        if is_robots == (where == "robots.txt") and (is_robots or "/2" in request.url) and asked.count(asked[-1]) == 1:
            return Response(request.url, status, {"Retry-After": "30"})
        return 404 if is_robots else "x"

    settings = {**CALM, "CONCURRENT_REQUESTS_PER_DOMAIN": 1}
    gap = gap_over_a_restart(how, tmp_path, answer, monkeypatch, settings=settings)
    assert 29.9 <= gap <= 30.2


def test_a_clock_that_was_set_back_makes_no_wait_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, settings = numbered(9), {**CALM, "DOWNLOAD_DELAY": 30.0}
    crawl(made, site(404), job=tmp_path / "job", during=cut(tmp_path, "stop"), settings=settings)
    monkeypatch.setattr(testing, "START_OF_TIME", testing.START_OF_TIME - 1_000_000)
    assert crawl(made, site(404), job=tmp_path / "job", settings=settings).sent[0].when <= 30.0


def test_a_wait_that_has_passed_meanwhile_holds_nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, settings = numbered(9), {**CALM, "DOWNLOAD_DELAY": 30.0}
    crawl(made, site(404), job=tmp_path / "job", during=cut(tmp_path, "stop"), settings=settings)
    monkeypatch.setattr(testing, "START_OF_TIME", testing.START_OF_TIME + 3600)
    assert crawl(made, site(404), job=tmp_path / "job", settings=settings).sent[0].when < 0.1


def test_a_redirect_of_robots_txt_may_ask_for_a_wait_too() -> None:
    def answer(request: Request) -> Any:
        if request.url == f"{A}/robots.txt":
            return Response(request.url, 302, {"Location": f"{B}/robots.txt", "Retry-After": "20"})
        return 404 if request.url.endswith("robots.txt") else "x"

    result = crawl(numbered(2), answer, settings=CALM)
    assert [round(sent.when) for sent in result.sent] == [0, 20, 20, 20]


# What the transport would send again by itself


def lost() -> ConnectionLost:
    error = ConnectionLost("closed without an answer")
    error.may_repeat = True
    return error


def test_what_met_a_closed_connection_goes_again_in_its_turn_and_is_no_retry() -> None:
    answers = iter([lost()])
    settings = {**CALM, "DOWNLOAD_DELAY": 4.0, "ROBOTSTXT_OBEY": False, "RETRY_ENABLED": False}
    result = crawl(numbered(3), lambda request: next(answers, "x"), settings=settings)
    assert [sent.when for sent in result.sent] == pytest.approx([0, 4, 8, 12])
    assert [event.outcome for event in result.happened(RequestEnded)] == ["answered"] * 3
    assert not result.happened(RequestDelayed)
    assert result.summary.errors == 0


def test_a_second_time_in_a_row_is_an_error_like_others() -> None:
    settings = {**CALM, "ROBOTSTXT_OBEY": False, "RETRY_TIMES": 1}
    result = crawl(numbered(1), lambda request: lost(), settings=settings)
    assert [event.reason for event in result.happened(RequestEnded)] == ["ConnectionLost"]
    assert len(result.sent) == 4  # twice each of the two tries


def test_what_could_not_be_begun_goes_again_and_is_no_try() -> None:
    answers = iter([NotBegun("no lease", sent=False) for _ in range(4)])
    settings = {**CALM, "ROBOTSTXT_OBEY": False, "RETRY_ENABLED": False}
    result = crawl(numbered(2), lambda request: next(answers, "x"), settings=settings)
    assert [event.outcome for event in result.happened(RequestEnded)] == ["answered"] * 2
    assert not result.happened(RequestDelayed)
    assert result.summary.errors == 0


def test_a_host_without_a_delay_has_the_repeat_at_once() -> None:
    held: list[Any] = []
    settings = {**CALM, "ROBOTSTXT_OBEY": False, "DOWNLOAD_SLOTS": {"b.test": {"delay": 2.0}}}

    def ask(ready: Any) -> None:
        may_repeat = ready._crawl.may_repeat
        later(ready, 0.5, lambda: held.extend(map(may_repeat, (Request(f"{A}/"), Request(f"{B}/")))))

    crawl(numbered(3, A, B), lambda request: "x", settings=settings, during=ask)
    assert held == [True, False]
