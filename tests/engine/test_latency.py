"""How fast is a host asked whose answers take a while, with THROTTLE_BY = "latency"?"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from crawler.events import HostPaced
from tests.engine.virtual import Request, Response, ask, crawl, numbers, page_item, spider

BY_LATENCY = {"THROTTLE_BY": "latency", "RANDOMIZE_DOWNLOAD_DELAY": False}


def gaps(result: Any) -> list[float]:
    return [round(after.when - before.when, 3) for before, after in pairwise(result.sent)]


def slow(seconds: float, status: int = 200) -> Any:
    return lambda request: Response(request.url, status, body=b"x", latency=seconds)


def test_the_delay_goes_from_its_start_to_the_latency() -> None:
    """The first answer is there long before the delay has passed, which is shorter from then on."""
    result = crawl(spider(start=ask(*numbers(5)), parse=page_item), slow(1.0), settings=BY_LATENCY)
    assert gaps(result) == [3.0, 2.0, 1.5, 1.25]


def test_errors_make_no_host_faster_and_a_key_leaves_an_answer_out() -> None:
    settings = {**BY_LATENCY, "HTTPERROR_ALLOW_ALL": True}
    result = crawl(spider(start=ask(*numbers(4)), parse=page_item), slow(1.0, 404), settings=settings)
    assert gaps(result) == [5.0, 5.0, 5.0]
    made = spider(start=ask(*numbers(4), meta={"autothrottle_dont_adjust_delay": True}), parse=page_item)
    assert gaps(crawl(made, slow(1.0), settings=BY_LATENCY)) == [5.0, 5.0, 5.0]


def test_the_settings_bound_the_delay_and_one_tells_its_changes() -> None:
    settings = {**BY_LATENCY, "THROTTLE_START_DELAY": 1.0, "THROTTLE_MAX_DELAY": 3.0, "THROTTLE_DEBUG": True}
    result = crawl(spider(start=ask(*numbers(4)), parse=page_item), slow(9.0), settings=settings)
    assert gaps(result)[-1] == 3.0
    assert {event.delay for event in result.happened(HostPaced)} == {3.0}
    silent = crawl(spider(start=ask(*numbers(4)), parse=page_item), slow(9.0), settings=BY_LATENCY)
    assert silent.happened(HostPaced) == []


def test_a_resume_begins_no_host_faster_than_it_was(tmp_path: Path) -> None:
    def stop(ready: Any) -> None:
        ready.world.clock.callLater(45, ready.stop)

    def page(request: Request) -> Response:
        return Response(request.url, latency=20.0)

    made = spider(start=ask(*numbers(6)), parse=page_item)
    first = crawl(made, page, job=tmp_path / "job", settings=BY_LATENCY, during=stop)
    second = crawl(made, page, job=tmp_path / "job", settings=BY_LATENCY)
    assert gaps(first) == [20.0, 20.0]
    assert min(gaps(second)) == pytest.approx(20.0, abs=0.01)
