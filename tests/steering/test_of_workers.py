"""Does what is told to the workers of a shared crawl count with each of them, also with one that joins later?"""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from crawler.events import RequestEnded, SettingChanged
from crawler.testing import START_OF_TIME
from tests.engine.shared_store import Workers
from tests.engine.virtual import any_page, ask, page_item, spider

HOSTS = [f"h{number}.test" for number in range(4)]
URLS = [f"http://{host}/{number}" for number in range(40) for host in HOSTS]


def crawl_of(*told: tuple[float, str, Any], **more: Any) -> Workers:
    """Return a crawl of two workers to whom facts are told at virtual times."""
    settings = {"CONCURRENT_REQUESTS_PER_DOMAIN": 1, "RANDOMIZE_DOWNLOAD_DELAY": False}
    crawl = Workers(spider(start=ask(*URLS), parse=page_item), any_page, settings=settings, workers=2, latency=0.2)
    for when, name, value in told:
        crawl.loop.call_later(when, crawl.job.learn, {name: [value, "page", START_OF_TIME + when]})
    return crawl


def times(crawl: Workers, host: str) -> list[float]:
    return [sent.when for sent in crawl.sent if sent.request.host == host]


def ended(crawl: Workers, host: str) -> list[str]:
    events = [event for worker in crawl.workers for event in worker.events if isinstance(event, RequestEnded)]
    return [event.reason for event in events if event.request.host == host]


def test_a_delay_counts_with_all_workers() -> None:
    crawl = crawl_of((2.0, "live:DOWNLOAD_DELAY", 3.0), (2.0, "live:DOWNLOAD_DELAY@h1.test", 5.0)).run(within=1000)
    for host in HOSTS:
        late = [when for when in times(crawl, host) if when > 3.0]
        gaps = {round(after - before, 2) for before, after in itertools.pairwise(late)}
        assert min(gaps) >= (5.0 if host == "h1.test" else 3.0)
    assert sorted(crawl.urls) == sorted(URLS)
    assert crawl.problems() == []


def test_a_pause_of_all_and_of_a_host_hold_all_workers() -> None:
    crawl = crawl_of(
        (2.0, "live:paused", True),
        (2.0, "live:paused@h1.test", True),
        (20.0, "live:paused", False),
        (50.0, "live:paused@h1.test", False),
    ).run(within=1000)
    assert not [sent.when for sent in crawl.sent if 3.0 < sent.when < 20.0]
    assert not [when for when in times(crawl, "h1.test") if 3.0 < when < 50.0]
    assert max(times(crawl, "h0.test")) < 50.0
    assert sorted(crawl.urls) == sorted(URLS)
    assert crawl.problems() == []


def test_a_worker_drops_what_it_has_taken_and_asks_again_for_what_comes_later() -> None:
    crawl = crawl_of((3.0, "live:dropped@h1.test", True)).run(within=1000)
    dropped = ended(crawl, "h1.test").count("by_hand")
    assert dropped > 0
    assert len(times(crawl, "h1.test")) + dropped == 40
    assert sorted(url for url in crawl.urls if "h1.test" not in url) == sorted(
        url for url in URLS if "h1.test" not in url
    )
    assert crawl.problems() == []


def test_a_worker_that_joins_later_goes_by_what_was_said_before() -> None:
    crawl = crawl_of((1.0, "live:DOWNLOAD_DELAY", 2.0))
    crawl.loop.call_later(5.0, crawl.begin)
    crawl.run(within=1000)
    changed = [event for event in crawl.workers[-1].events if isinstance(event, SettingChanged)]
    assert [(event.name, event.value, event.who) for event in changed] == [("DOWNLOAD_DELAY", 2.0, "page")]


def test_what_has_given_way_to_a_resume_is_forgotten_by_those_who_know_it_and_unknown_to_others() -> None:
    crawl = crawl_of((1.0, "live:DOWNLOAD_DELAY", 2.0), (1.0, "live:DOWNLOAD_DELAY@h1.test", 7.0))
    gone = {"live:DOWNLOAD_DELAY": None, "live:DOWNLOAD_DELAY@h1.test": None, "live:RETRY_TIMES": None}
    crawl.loop.call_later(4.0, crawl.job.learn, gone)
    crawl.loop.call_later(5.0, crawl.begin)
    crawl.run(within=1000)
    changed = [[event.value for event in each.events if isinstance(event, SettingChanged)] for each in crawl.workers]
    assert changed == [[2.0, 7.0, 0.0, 0.0], [2.0, 7.0, 0.0, 0.0], []]
    assert crawl.problems() == []


def test_what_was_said_before_what_is_known_changes_nothing() -> None:
    crawl = crawl_of((2.0, "live:DOWNLOAD_DELAY", 3.0))
    crawl.loop.call_later(4.0, crawl.job.learn, {"live:DOWNLOAD_DELAY": [0.0, "page", START_OF_TIME + 1.0]})
    crawl.run(within=1000)
    late = [when for when in times(crawl, "h0.test") if when > 5.0]
    assert min(after - before for before, after in itertools.pairwise(late)) == pytest.approx(3.0)
