"""What can be done to a crawl while it runs?"""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest

from crawler.errors import SteeringError
from crawler.events import CrawlClosed, CrawlOpened, Steered
from crawler.steering.control import Control
from tests.engine.virtual import ROOT, any_page, ask, balanced, crawl, later, numbers, page_item, spider
from tests.steering.steered import ME, steered


def refused(control: Control, step: Callable[[], Any], why: str) -> None:
    with pytest.raises(SteeringError, match=why):
        step()


def test_a_paused_crawl_sends_nothing_until_it_is_resumed_and_does_not_end() -> None:
    pages = spider(start=ask(*numbers(10)), parse=page_item)
    during = steered((0.025, lambda each: each.pause(None, who=ME)), (60.0, lambda each: each.resume(None, who="root")))
    result = crawl(pages, any_page, during=during, settings={"CONCURRENT_REQUESTS": 1})
    times = [sent.when for sent in result.sent]
    assert not [when for when in times if 0.03 < when < 60.0]
    assert len(result.items) == 10
    assert max(times) > 60.0
    assert balanced(result)
    assert [(event.who, event.refused) for event in result.happened(Steered)] == [(ME, False), ("root", False)]


def test_a_crawl_that_is_not_paused_cannot_be_resumed() -> None:
    during = steered((0.0, lambda each: refused(each, lambda: each.resume(None, who=ME), "is not paused")))
    result = crawl(spider(parse=page_item), any_page, during=during)
    assert [(event.what, event.refused) for event in result.happened(Steered)] == [("the crawl is not paused", True)]


def test_another_pause_is_not_ended_by_a_resume_by_hand() -> None:
    def during(ready: Any) -> None:
        later(ready, 0.005, ready.crawler.running.pause)
        steered(
            (0.006, lambda each: each.pause(None, who=ME)),
            (5.0, lambda each: each.resume(None, who=ME)),
        )(ready)
        later(ready, 9.0, ready.crawler.running.unpause)

    result = crawl(spider(start=ask(*numbers(4)), parse=page_item), any_page, during=during)
    assert all(event.when < 0.005 or event.when >= 9.0 for event in result.sent)
    assert len(result.items) == 4


def test_a_stop_by_hand_sends_nothing_new() -> None:
    pages = spider(start=ask(*numbers(10)), parse=page_item)
    during = steered((0.035, lambda each: each.stop(who=ME)))
    result = crawl(pages, any_page, during=during, settings={"CONCURRENT_REQUESTS": 1})
    assert (result.summary.reason, balanced(result)) == ("shutdown", True)
    assert 0 < len(result.items) < 10


def test_a_paused_crawl_can_be_stopped() -> None:
    pages = spider(start=ask(*numbers(10)), parse=page_item)
    during = steered((0.025, lambda each: each.pause(None, who=ME)), (9.0, lambda each: each.stop(who=ME)))
    result = crawl(pages, any_page, during=during, settings={"CONCURRENT_REQUESTS": 1})
    assert (result.summary.reason, balanced(result)) == ("shutdown", True)


def test_a_url_that_is_added_is_asked_for_though_it_was_seen() -> None:
    during = steered(
        (0.005, lambda each: each.add(f"{ROOT}more", who=ME)), (0.3, lambda each: each.add(f"{ROOT}0", who=ME))
    )
    pages = spider(start=ask(*numbers(30)), parse=page_item)
    result = crawl(pages, any_page, during=during, settings={"CONCURRENT_REQUESTS": 1})
    urls = [item["url"] for item in result.items]
    assert urls.count(f"{ROOT}more") == 1
    assert urls.count(f"{ROOT}0") == 2
    assert balanced(result)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("file:///etc/passwd", "come from start"),
        ("data:,x", "come from start"),
        ("no url", "is no URL"),
        ("http://a.test/" + "x" * 3000, "refused by a filter .url_length"),
        ("http://a.test:99999/", "is no URL"),
    ],
)
def test_what_may_not_be_added_is_refused_with_the_reason(url: str, why: str) -> None:
    during = steered((0.0, lambda each: refused(each, lambda: each.add(url, who=ME), why)))
    result = crawl(spider(parse=page_item), any_page, during=during)
    assert [event.refused for event in result.happened(Steered)] == [True]
    assert result.urls == [ROOT]


def test_a_crawl_that_is_not_open_yet_or_over_cannot_be_steered() -> None:
    controls: list[Control] = []

    def during(ready: Any) -> None:
        control = ready.crawler.control
        controls.append(control)
        refused(control, lambda: control.stop(who=ME), "the crawl is opening")
        ready.events.subscribe(CrawlClosed, lambda _: refused(control, lambda: control.pause(None, who=ME), "closed"))

    result = crawl(spider(parse=page_item), any_page, during=during)
    assert [event.refused for event in result.happened(Steered)] == [True, True]
    assert len(result.happened(CrawlOpened)) == 1


def test_a_crawl_is_not_steered_from_a_thread() -> None:
    said: list[BaseException] = []

    def ask(control: Control) -> None:
        thread = Thread(target=lambda: said.append(raised(control)))
        thread.start()
        thread.join()

    def raised(control: Control) -> BaseException:
        with pytest.raises(RuntimeError) as error:
            control.pause(None, who=ME)
        return error.value

    result = crawl(spider(parse=page_item), any_page, during=steered((0.005, ask)))
    assert ("reactor.callFromThread" in str(said[0]), len(result.items)) == (True, 1)
