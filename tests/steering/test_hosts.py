"""Can a host be paused, and its queue be dropped, while the crawl runs?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crawler.errors import RequestDropped, SteeringError
from crawler.events import RequestEnded, Steered
from crawler.frontier.by_hand import ByHand
from crawler.frontier.waits import wait_of
from crawler.model.request import Request
from crawler.testing import Result
from tests.engine.virtual import any_page, ask, balanced, crawl, page_item, spider
from tests.steering.steered import ME, answers, steered

A, B = "http://a.test/", "http://b.test/"
BOTH = [f"{site}{n}" for n in range(20) for site in (A, B)]
ONE_BY_ONE = {"CONCURRENT_REQUESTS_PER_DOMAIN": 1}


def linking(self: Any, response: Any) -> Any:
    yield {"url": response.url}
    if response.url == "http://c.test/":
        for url in BOTH:
            yield Request(url)


def times(result: Result, site: str) -> list[float]:
    return [sent.when for sent in result.sent if sent.url.startswith(site)]


def test_nothing_is_sent_to_a_paused_host_and_the_others_go_on() -> None:
    pages = spider(start=ask(*BOTH), parse=page_item)
    during = steered(
        (0.055, lambda each: each.pause("a.test", who=ME)), (50.0, lambda each: each.resume("a.test", who=ME))
    )
    result = crawl(pages, any_page, during=during, settings=ONE_BY_ONE)
    assert not [when for when in times(result, A) if 0.06 < when < 50.0]
    assert max(times(result, B)) < 1.0
    assert (len(result.items), balanced(result)) == (40, True)


def test_a_host_can_be_paused_before_anything_of_it_is_known() -> None:
    said: list[str] = []
    pages = spider(start=ask("http://c.test/"), parse=linking)
    during = steered(
        (0.005, lambda each: said.append(each.pause("b.test", who=ME))),
        (30.0, lambda each: each.resume("b.test", who=ME)),
    )
    result = crawl(pages, any_page, during=during, settings=ONE_BY_ONE)
    assert min(times(result, B)) >= 30.0
    assert "nothing of it is known yet" in said[0]


def test_robots_txt_of_a_paused_host_waits_too() -> None:
    pages = spider(start=ask("http://c.test/"), parse=linking)
    during = steered(
        (0.005, lambda each: each.pause("a.test", who=ME)), (9.0, lambda each: each.resume("a.test", who=ME))
    )
    result = crawl(pages, any_page, during=during, settings={"ROBOTSTXT_OBEY": True})
    assert min(times(result, A)) >= 9.0
    assert next(sent.url for sent in result.sent if sent.url.startswith(A)) == f"{A}robots.txt"


def test_a_pause_is_told_as_the_reason_and_is_not_two() -> None:
    seen: list[Any] = []

    def look(ready: Any) -> None:
        view = ready.companions.watched.view()
        seen.append((view.paused("a.test"), view.paused("b.test"), wait_of(view.hosts.get("a.test"), 0.1).why))

    def during(ready: Any) -> None:
        control = ready.crawler.control

        def twice() -> None:
            with pytest.raises(SteeringError, match="paused already, set live by page"):
                control.pause("a.test", who="root")
            with pytest.raises(SteeringError, match=r"b\.test is not paused; paused: a\.test"):
                control.resume("b.test", who="root")

        steered(
            (0.015, lambda each: each.pause("a.test", who=ME)),
            (0.05, lambda _: look(ready)),
            (0.06, lambda _: twice()),
            (1.0, lambda each: each.resume("a.test", who=ME)),
        )(ready)

    crawl(spider(start=ask(*BOTH), parse=page_item), any_page, during=during, settings=ONE_BY_ONE)
    assert seen == [(True, False, "paused")]


def test_a_paused_host_stays_paused_though_it_is_forgotten_meanwhile(hosts: Any) -> None:
    ByHand(hosts, _NoTurns(), lambda: 0.5).halt("a")  # type: ignore[arg-type]
    for n in range(1500):
        hosts.make(f"other{n}", 1.0 + n)
    assert hosts.get("a") is None
    assert hosts.make("a", 5000.0).limit == 0


class _NoTurns:
    def line_up(self, host: Any, now: float) -> None: ...


@pytest.fixture
def hosts() -> Any:
    from crawler.frontier.host import HostLimits, LimitsByHost
    from crawler.frontier.hosts import Hosts
    from crawler.frontier.origins import Origins

    hosts = Hosts(LimitsByHost(HostLimits(8, 0.0, None)), Origins(closed=False))
    hosts.make("a", None)
    return hosts


def test_a_resume_knows_which_host_is_paused_and_goes_on_with_all_if_all_were(tmp_path: Path) -> None:
    job = tmp_path / "made.job"
    pages = spider(start=ask(*BOTH), parse=page_item)
    stop = steered(
        (0.025, lambda each: each.pause("a.test", who=ME)),
        (0.030, lambda each: each.pause(None, who=ME)),
        (0.100, lambda each: each.stop(who=ME)),
    )
    first = crawl(pages, any_page, job=job, during=stop, settings=ONE_BY_ONE)
    again = crawl(
        pages,
        any_page,
        job=job,
        settings=ONE_BY_ONE,
        during=steered((20.0, lambda each: each.resume("a.test", who="root"))),
    )
    assert min(times(again, B)) < 1.0
    assert min(times(again, A)) >= 20.0
    assert sorted(item["url"] for item in first.items + again.items) == sorted(BOTH)


# Dropping a host's queue


def ended(result: Result, site: str) -> list[str]:
    return [
        f"{event.outcome} {event.reason}"
        for event in result.happened(RequestEnded)
        if event.request.url.startswith(site)
    ]


def test_a_queue_that_is_dropped_ends_in_memory() -> None:
    said: list[str] = []

    def parse(self: Any, response: Any) -> Any:
        yield {"url": response.url}
        if response.url == "http://c.test/":
            for url in BOTH * 1:
                yield Request(url, errback=self.failed)

    failures: list[Any] = []
    pages = spider(
        start=ask("http://c.test/"), parse=parse, failed=lambda self, failure: failures.append(failure.value)
    )
    during = steered((0.045, lambda each: answers(said)(each.drop("a.test", who=ME))))
    result = crawl(pages, any_page, during=during, settings=ONE_BY_ONE)
    dropped = ended(result, A).count("dropped by_hand")
    assert 10 < dropped < 20
    assert ended(result, A).count("answered ") + dropped == 20
    assert ended(result, B) == ["answered "] * 20
    assert (said, balanced(result)) == ([f"dropped {dropped} requests to a.test"], True)
    assert [type(each) for each in failures] == [RequestDropped] * dropped
    assert [event.what for event in result.happened(Steered)] == said


def many(self: Any, response: Any) -> Any:
    yield {"url": response.url}
    if response.url == "http://c.test/":
        for n in range(300):
            yield Request(f"{A}{n}")
            yield Request(f"{B}{n}")


@pytest.mark.parametrize("during_pause", [False, True])
def test_what_of_it_is_in_the_store_alone_is_dropped_too(tmp_path: Path, during_pause: bool) -> None:
    job = tmp_path / "made.job"
    said: list[str] = []
    steps: list[Any] = [(0.5, lambda each: answers(said)(each.drop("a.test", who=ME)))]
    if during_pause:
        steps += [(0.4, lambda each: each.pause(None, who=ME)), (9.0, lambda each: each.resume(None, who=ME))]
    pages = spider(start=ask("http://c.test/"), parse=many)
    result = crawl(pages, any_page, job=job, window=8, during=steered(*steps), settings=ONE_BY_ONE)
    dropped = ended(result, A).count("dropped by_hand")
    assert 200 < dropped < 300
    assert ended(result, A).count("answered ") + dropped == 300
    assert ended(result, B) == ["answered "] * 300
    assert (said, balanced(result), result.summary.reason) == (
        [f"dropped {dropped} requests to a.test"], True, "finished",
    )  # fmt: skip


def test_what_is_queued_again_later_is_asked_for() -> None:
    def parse(self: Any, response: Any) -> Any:
        yield {"url": response.url}

    pages = spider(start=ask(f"{B}0", *[f"{A}{n}" for n in range(9)]), parse=parse)
    during = steered(
        (0.015, lambda each: each.drop("a.test", who=ME)),
        (5.0, lambda each: each.add(f"{A}late", who=ME)),
    )
    result = crawl(pages, any_page, during=during, latency=8.0, settings={"CONCURRENT_REQUESTS": 16, **ONE_BY_ONE})
    assert f"{A}late" in result.urls
    assert balanced(result)


def test_a_host_of_which_nothing_is_known_has_no_queue_to_be_dropped() -> None:
    seen: list[bool] = []

    def drop(control: Any) -> None:
        with pytest.raises(SteeringError, match=r"nothing is queued for nosuch\.test"):
            control.drop("nosuch.test", who=ME)
        seen.append(True)

    result = crawl(spider(parse=page_item), any_page, during=steered((0.005, drop)))
    assert (seen, len(result.items)) == ([True], 1)


def test_a_paused_host_stays_paused_when_its_queue_was_dropped() -> None:
    pages = spider(start=ask(*BOTH), parse=page_item)
    during = steered(
        (0.015, lambda each: each.pause("a.test", who=ME)),
        (0.020, lambda each: each.drop("a.test", who=ME)),
        (0.100, lambda each: each.add(f"{A}late", who=ME)),
        (40.0, lambda each: each.resume("a.test", who=ME)),
    )
    result = crawl(pages, any_page, during=during, settings=ONE_BY_ONE)
    late = [sent.when for sent in result.sent if sent.url == f"{A}late"]
    assert late
    assert late[0] >= 40.0


def test_a_drop_that_a_stop_cut_short_is_gone_on_with_by_a_resume(tmp_path: Path) -> None:
    job = tmp_path / "made.job"
    said: list[str] = []
    pages = spider(start=ask("http://c.test/"), parse=many)
    cut = steered(
        (0.5, lambda each: answers(said)(each.drop("a.test", who=ME))), (0.501, lambda each: each.stop(who=ME))
    )
    first = crawl(pages, any_page, job=job, window=8, during=cut, settings=ONE_BY_ONE)
    begun = ended(first, A).count("dropped by_hand")
    assert 0 < begun < 200
    assert "a resume drops what is left" in said[0]
    again = crawl(pages, any_page, job=job, window=8, settings=ONE_BY_ONE)
    assert times(again, A) == []
    assert ended(first, A).count("answered ") + begun + ended(again, A).count("dropped by_hand") == 300
    assert balanced(first) and balanced(again)  # noqa: PT018
