"""Do settings that are changed while the crawl runs count from then on, in the job, and by those who go by them?"""

from __future__ import annotations

import itertools
import logging
from pathlib import Path
from typing import Any

import pytest

from crawler import testing
from crawler.config.layers import CORE_KINDS
from crawler.errors import SteeringError
from crawler.events import HostPaced, SettingChanged
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.observe.log import set_level
from crawler.steering.settings import LIVE, checked
from crawler.testing import START_OF_TIME, Result
from tests.engine.virtual import ROOT, any_page, ask, balanced, crawl, numbers, page_item, spider
from tests.steering.steered import ME, steered

A, B = "http://a.test/", "http://b.test/"
PLAIN: dict[str, Any] = {"RANDOMIZE_DOWNLOAD_DELAY": False, "CONCURRENT_REQUESTS_PER_DOMAIN": 1}


def change(name: str, value: object, host: str | None = None, who: str = ME) -> Any:
    return lambda control: control.set(name, value, host=host, who=who)


def gaps(result: Result, site: str = A) -> list[float]:
    times = [sent.when for sent in result.sent if sent.url.startswith(site) and not sent.url.endswith("robots.txt")]
    return [round(after - before, 3) for before, after in itertools.pairwise(times)]


def most_at_once(result: Result, since: float, latency: float) -> int:
    times = [sent.when for sent in result.sent if sent.when >= since]
    return max(sum(start <= at < start + latency - 1e-9 for at in times) for start in times)


# Delays


def test_a_delay_counts_from_now_on_and_can_be_taken_back() -> None:
    during = steered((0.055, change("DOWNLOAD_DELAY", "2")), (9.0, change("DOWNLOAD_DELAY", "default")))
    result = crawl(spider(start=ask(*numbers(20)), parse=page_item), any_page, during=during, settings=PLAIN)
    assert gaps(result)[:5] == [0.01] * 5
    assert gaps(result)[5:9] == [2.0] * 4
    assert gaps(result)[11:] == [0.01] * 8
    told = [(event.host, event.value, event.before, event.who) for event in result.happened(SettingChanged)]
    assert told == [(None, 2.0, 0.0, ME), (None, 0.0, 2.0, ME)]


def test_a_host_has_a_delay_of_its_own_before_that_of_all() -> None:
    said: list[str] = []
    both = [f"{site}{n}" for n in range(8) for site in (A, B)]
    during = steered(
        (0.015, change("DOWNLOAD_DELAY", 3, "a.test")),
        (0.016, lambda each: said.append(each.set("DOWNLOAD_DELAY", "1", host=None, who=ME))),
    )
    result = crawl(spider(start=ask(*both), parse=page_item), any_page, during=during, settings=PLAIN)
    assert set(gaps(result, A)[2:]) == {3.0}
    assert set(gaps(result, B)[2:]) == {1.0}
    assert said == ["DOWNLOAD_DELAY is 1, it was 0; 1 host has a value of its own"]


def test_a_host_that_comes_later_has_what_was_said_of_it() -> None:
    def parse(self: Any, response: Response) -> Any:
        for n in range(4):
            yield Request(f"{B}{n}")

    during = steered((0.005, change("DOWNLOAD_DELAY", "2.5", "b.test")))
    result = crawl(spider(start=ask(A), parse=parse), any_page, during=during, settings=PLAIN)
    assert gaps(result, B) == [2.5] * 3


def test_no_delay_is_shorter_than_that_of_robots_txt() -> None:
    site = {f"{A}robots.txt": "User-agent: *\nCrawl-delay: 4", **dict.fromkeys(numbers(6), "x")}
    during = steered((9.0, change("DOWNLOAD_DELAY", "0", "a.test")), (9.5, change("DOWNLOAD_DELAY", "7")))
    result = crawl(
        spider(start=ask(*numbers(6)), parse=page_item), site, during=during, settings={**PLAIN, "ROBOTSTXT_OBEY": True}
    )
    assert min(gaps(result)) == 4.0


def test_chance_can_be_switched_off() -> None:
    during = steered((5.0, change("RANDOMIZE_DOWNLOAD_DELAY", "no")))
    settings = {"DOWNLOAD_DELAY": 1, "CONCURRENT_REQUESTS_PER_DOMAIN": 1}
    result = crawl(spider(start=ask(*numbers(12)), parse=page_item), any_page, during=during, settings=settings)
    assert gaps(result)[0] > 1.01
    assert gaps(result)[-3:] == [1.0] * 3


# How much at once


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("CONCURRENT_REQUESTS", None),
        ("CONCURRENT_REQUESTS_PER_DOMAIN", None),
        ("CONCURRENT_REQUESTS_PER_DOMAIN", "a.test"),
    ],
)
@pytest.mark.parametrize(("before", "after"), [(2, 6), (6, 2)])
def test_so_many_are_in_flight_from_now_on(name: str, host: str | None, before: int, after: int) -> None:
    settings = {"CONCURRENT_REQUESTS": 16, "CONCURRENT_REQUESTS_PER_DOMAIN": 16, name: before}
    pages = spider(start=ask(*numbers(100)), parse=page_item)
    result = crawl(
        pages, any_page, latency=1.0, during=steered((3.5, change(name, str(after), host))), settings=settings
    )
    early = [sent.when for sent in result.sent if sent.when < 3.0]
    assert max(map(early.count, early)) == before
    assert most_at_once(result, 5.5, 1.0) == after
    assert len(result.items) == 100


# The throttle


def refusing(request: Request) -> Any:
    number = int(request.url.rpartition("/")[2])
    return 503 if number == 3 else f"page {number}"


def test_a_host_that_was_slowed_down_stays_so_and_goes_back_to_the_new_pace() -> None:
    settings = {"CONCURRENT_REQUESTS_PER_DOMAIN": 8, "RETRY_ENABLED": False, "HTTPERROR_ALLOW_ALL": True}
    pages = spider(start=ask(*numbers(300)), parse=page_item)
    during = steered((2.5, change("CONCURRENT_REQUESTS_PER_DOMAIN", "6")))
    result = crawl(pages, refusing, latency=1.0, during=during, settings=settings)
    assert [event.concurrency for event in result.happened(HostPaced)] == [4, 5, 6]
    assert most_at_once(result, 30.0, 1.0) == 6


def test_with_the_throttle_switched_off_a_slowed_host_goes_at_full_pace() -> None:
    settings = {"CONCURRENT_REQUESTS_PER_DOMAIN": 8, "RETRY_ENABLED": False, "HTTPERROR_ALLOW_ALL": True}
    pages = spider(start=ask(*numbers(60)), parse=page_item)
    during = steered((2.5, change("THROTTLE_ENABLED", "off")))
    result = crawl(pages, refusing, latency=1.0, during=during, settings=settings)
    assert most_at_once(result, 1.0, 1.0) == 8
    assert len(result.happened(HostPaced)) == 1


def test_by_latency_the_least_delay_counts_and_the_throttle_stays_what_it_is() -> None:
    settings = {"THROTTLE_BY": "latency", "THROTTLE_START_DELAY": 1, **PLAIN}
    refused: list[str] = []

    def switch_off(control: Any) -> None:
        with pytest.raises(SteeringError, match="read once") as error:
            control.set("THROTTLE_ENABLED", False, host=None, who=ME)
        refused.append(str(error.value))

    during = steered((6.0, switch_off), (6.5, change("DOWNLOAD_DELAY", "3")))
    result = crawl(
        spider(start=ask(*numbers(20)), parse=page_item), any_page, latency=0.1, during=during, settings=settings
    )
    assert set(gaps(result)[-5:]) == {3.0}
    assert refused


# Limits of the crawl


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("CLOSESPIDER_ITEMCOUNT", "7", "closespider_itemcount"),
        ("CLOSESPIDER_ITEMCOUNT", "2", "closespider_itemcount"),
        ("CLOSESPIDER_PAGECOUNT", "2", "closespider_pagecount"),
        ("CLOSESPIDER_PAGECOUNT", "9", "closespider_pagecount"),
        ("CLOSESPIDER_ERRORCOUNT", "1", "closespider_errorcount"),
        ("CLOSESPIDER_TIMEOUT", "7", "closespider_timeout"),
        ("CLOSESPIDER_TIMEOUT", "1", "closespider_timeout"),
        ("CLOSESPIDER_TIMEOUT_NO_ITEM", "4", "closespider_timeout_no_item"),
        ("CLOSESPIDER_PAGECOUNT_NO_ITEM", "3", "closespider_pagecount_no_item"),
    ],
)
def test_a_limit_may_come_while_the_crawl_runs(name: str, value: str, reason: str) -> None:
    def parse(self: Any, response: Response) -> Any:
        number = int(response.url.rpartition("/")[2])
        if number == 1:
            raise ValueError("once")
        if number < 8:
            yield {"url": response.url}

    pages = spider(start=ask(*numbers(60)), parse=parse)
    during = steered((4.55, change(name, value)))
    result = crawl(pages, any_page, latency=1.0, during=during, settings={"CONCURRENT_REQUESTS": 1})
    assert (result.summary.reason, balanced(result)) == (reason, True)
    expected = {"7": 7.0, "1": 4.55} if name == "CLOSESPIDER_TIMEOUT" else {}
    if value in expected:
        closing = next(event.when for event in result.happened(SettingChanged))
        assert closing == START_OF_TIME + 4.55
        assert result.seconds == pytest.approx(max(expected[value], 5.0), abs=1.0)


def test_a_limit_that_is_taken_back_ends_nothing() -> None:
    pages = spider(start=ask(*numbers(20)), parse=page_item)
    during = steered((3.5, change("CLOSESPIDER_TIMEOUT", "0")), (3.6, change("CLOSESPIDER_ITEMCOUNT", "0")))
    settings = {"CLOSESPIDER_TIMEOUT": 6, "CLOSESPIDER_ITEMCOUNT": 9, "CONCURRENT_REQUESTS": 1}
    result = crawl(pages, any_page, latency=1.0, during=during, settings=settings)
    assert (result.summary.reason, len(result.items)) == ("finished", 20)


def test_links_are_followed_as_deep_as_is_said_last() -> None:
    def parse(self: Any, response: Response) -> Any:
        yield Request(response.url + "x")

    during = steered((3.5, change("DEPTH_LIMIT", "5")))
    result = crawl(spider(parse=parse), any_page, latency=1.0, during=during)
    assert len(result.urls) == 6


def test_as_many_tries_are_made_as_is_said_last() -> None:
    during = steered((0.5, change("RETRY_TIMES", "5")))
    result = crawl(spider(start=ask(ROOT), parse=page_item), lambda _: 500, during=during)
    assert len(result.urls) == 6


def test_the_log_tells_more_from_now_on(caplog: pytest.LogCaptureFixture) -> None:
    before = logging.getLogger().level

    def during(ready: Any) -> None:
        set_level("INFO")
        ready.log()
        steered((0.045, change("LOG_LEVEL", "DEBUG")))(ready)

    try:
        crawl(
            spider(start=ask(*numbers(8)), parse=page_item),
            any_page,
            during=during,
            settings={"CONCURRENT_REQUESTS": 1},
        )
    finally:
        logging.getLogger().setLevel(before)
    assert [line for line in caplog.messages if line.startswith("200 ")] == [
        f"200 <GET {ROOT}{n}>" for n in range(4, 8)
    ]


# What is refused


@pytest.mark.parametrize(
    ("name", "value", "host", "why"),
    [
        ("DOWNLOAD_DELAY", "-1", None, r"DOWNLOAD_DELAY \(live\): expected a number, 0 or more, got"),
        ("DOWNLOAD_DELAY", "soon", None, "expected a number"),
        ("DOWNLOAD_DELAY", "inf", "a.test", "expected a number"),
        ("CONCURRENT_REQUESTS", "0", None, "1 or more"),
        ("CONCURRENT_REQUESTS", 2.5, None, "whole number"),
        ("LOG_LEVEL", "LOUD", None, "one of DEBUG, INFO"),
        ("CONCURRENT_REQUESTS", "3", "a.test", "of the whole crawl, not of one host"),
        ("USER_AGENT", "x", None, "read once, at the start; what can be changed now: CONCURRENT_REQUESTS, "),
        ("DOWNLOAD_DELEY", "1", None, 'did you mean "DOWNLOAD_DELAY"'),
        ("NO_SUCH", "1", None, "there is no setting NO_SUCH; there are CONCURRENT_REQUESTS"),
    ],
)
def test_what_cannot_be_set_is_refused_by_name(name: str, value: object, host: str | None, why: str) -> None:
    with pytest.raises(SteeringError, match=why):
        checked(name, value, host)


def test_what_may_be_set_is_told_with_who_has_set_it() -> None:
    seen: list[Any] = []
    during = steered(
        (0.005, change("DOWNLOAD_DELAY", "0.5")),
        (0.006, change("CONCURRENT_REQUESTS_PER_DOMAIN", "2", "a.test")),
        (0.007, lambda each: seen.append(each.live())),
    )
    crawl(spider(parse=page_item), any_page, during=during)
    delay, host = seen[0]["DOWNLOAD_DELAY"], seen[0]["CONCURRENT_REQUESTS_PER_DOMAIN"]
    assert (delay.value, delay.who, delay.when, delay.of_host) == (0.5, ME, START_OF_TIME + 0.005, True)
    assert (host.value, host.who, dict(host.hosts)) == (8, "", {"a.test": 2})
    assert list(seen[0]) == list(LIVE)
    assert LIVE.keys() <= CORE_KINDS.keys()


def test_what_was_taken_back_was_set_by_nobody() -> None:
    seen: list[Any] = []
    during = steered(
        (0.005, change("DOWNLOAD_DELAY", "0.5")),
        (0.006, change("DOWNLOAD_DELAY", "default")),
        (0.007, lambda each: seen.append(each.live()["DOWNLOAD_DELAY"])),
    )
    crawl(spider(parse=page_item), any_page, during=during)
    assert (seen[0].value, seen[0].who, seen[0].when) == (0.0, "", 0.0)


# In the job


def test_a_resume_knows_what_was_changed_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    job = tmp_path / "made.job"
    pages = spider(start=ask(*numbers(12)), parse=page_item)
    stop = steered(
        (0.015, change("DOWNLOAD_DELAY", "2")),
        (0.016, change("DOWNLOAD_DELAY", "3", "a.test", "console alice")),
        (4.0, lambda each: each.stop(who=ME)),
    )
    crawl(pages, any_page, job=job, during=stop, settings=PLAIN)
    with caplog.at_level(logging.INFO):
        again = crawl(pages, any_page, job=job, settings=PLAIN)
    assert set(gaps(again)) == {3.0}
    (line,) = [line for line in caplog.messages if "changed while the crawl ran" in line]
    assert "DOWNLOAD_DELAY = 2 (set live by page, 20" in line
    assert "DOWNLOAD_DELAY of a.test = 3 (set live by console alice, 20" in line
    assert not [event for event in again.happened(SettingChanged) if event.who not in (ME, "console alice")]


def test_a_change_survives_a_stop_at_once(tmp_path: Path) -> None:
    job = tmp_path / "made.job"
    pages = spider(start=ask(*numbers(12)), parse=page_item)

    def during(ready: Any) -> None:
        steered((0.015, change("DOWNLOAD_DELAY", "2")), (0.5, lambda _: ready.stop_now()))(ready)

    crawl(pages, any_page, job=job, during=during, settings=PLAIN)
    assert set(gaps(crawl(pages, any_page, job=job, settings=PLAIN))) == {2.0}


def test_without_a_change_a_crawl_keeps_no_such_fact() -> None:
    result = testing.crawl(spider(), {ROOT: "x"})
    assert result.happened(SettingChanged) == []
