"""Is what a middleware asks instead in the job as it is asked?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crawler.events import RequestEnded
from crawler.policy.verdict import Instead
from tests.engine.virtual import ROOT, Request, Response, balanced, crawl, page_item, spider


class ByHand:
    """Asks by a form what was asked by a link."""

    async def __call__(self, request: Request, fetch: Any) -> Response | Request | Instead:
        if request.method == "POST":
            answer: Response = await fetch(request)
            return answer
        return request.replace(url=ROOT + "form", method="POST", body="q=1", meta={"from": request.url}, priority=3)


def test_a_resume_goes_on_with_what_is_asked_instead(tmp_path: Path) -> None:
    """The delay of the host keeps the form from being sent before the crawl is stopped at its first second."""
    made = spider(start=lambda self: iter([Request(ROOT + "n", callback=self.parse_form)]), parse_form=page_item)
    settings = {"MIDDLEWARES": [ByHand], "DOWNLOAD_DELAY": 10.0}
    job = tmp_path / "job"
    first = crawl(
        made, {ROOT + "form": "x"}, job=job, settings=settings,
        during=lambda ready: ready.world.clock.callLater(1, ready.stop),
    )  # fmt: skip
    assert first.sent == []
    second = crawl(made, {ROOT + "form": "x"}, job=job, settings={**settings, "MIDDLEWARES": []})
    (sent,) = second.sent
    assert (sent.request.method, sent.url, sent.request.body) == ("POST", ROOT + "form", b"q=1")
    assert sent.request.meta["from"] == ROOT + "n"
    assert second.items == [{"url": ROOT + "form"}]
    assert balanced(second)


def test_what_cannot_be_kept_for_a_resume_fails_by_name_and_the_crawl_goes_on(tmp_path: Path) -> None:
    class ToALambda:
        async def __call__(self, request: Request, fetch: Any) -> Response | Request:
            if request.url == ROOT + "made":
                return request.replace(url=ROOT + "other", callback=lambda response: None)
            answer: Response = await fetch(request)
            return answer

    def start(self: Any) -> Any:
        yield Request(ROOT + "made")
        yield Request(ROOT)

    made = spider(start=start, parse=page_item)
    result = crawl(made, {ROOT: "x"}, job=tmp_path / "job", settings={"MIDDLEWARES": [ToALambda]})
    failed = [event for event in result.happened(RequestEnded) if event.outcome == "failed"]
    assert [event.request.url for event in failed] == [ROOT + "made"]
    assert "only methods of the spider can be kept" in failed[0].detail
    assert result.items == [{"url": ROOT}]
    assert balanced(result)


def test_an_object_in_the_meta_of_what_is_asked_instead_is_left_out_of_the_job(tmp_path: Path) -> None:
    class Odd:
        async def __call__(self, request: Request, fetch: Any) -> Response | Request:
            if "driver" in request.meta or "plain" in request.meta:
                answer: Response = await fetch(request)
                return answer
            return request.replace(url=ROOT + "driven", meta={"driver": object(), "plain": 1})

    made = spider(parse=page_item)
    result = crawl(made, {ROOT + "driven": "x"}, job=tmp_path / "job", settings={"MIDDLEWARES": [Odd]})
    assert result.items == [{"url": ROOT + "driven"}]
    assert balanced(result)
