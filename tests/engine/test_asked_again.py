"""When is a page that was seen not a duplicate all the same?

What start() asked for may be asked for once more by another callback, and the answer to a form is wanted whatever
page it is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crawler.events import RequestEnded, RequestRefused
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.testing import Result
from tests.engine.virtual import ROOT, Spider, any_page, balanced, crawl, later, spider

QUICK = {"JOB_COMMIT_SECONDS": 0.005}
STORES = ["memory", "sqlite"]


def kept(store: str, folder: Path) -> Path | None:
    return folder / "job.sqlite" if store == "sqlite" else None


def said(self: Spider, response: Response) -> Any:
    yield {"by": "said", "url": response.url}


def other(self: Spider, response: Response) -> Any:
    yield {"by": "other", "url": response.url}


def calls(result: Result) -> list[tuple[str, str]]:
    return [(item["by"], item["url"]) for item in result.items]


def refused(result: Result) -> list[str]:
    return [event.request.url for event in result.happened(RequestRefused)]


def asks(*requests: Callable[[Any], Request]) -> Any:
    """Return a parse() that tells that it ran, and asks for these."""

    def parse(self: Any, response: Response) -> Any:
        yield {"by": "parse", "url": response.url}
        for request in requests:
            yield request(self)

    return parse


@pytest.mark.parametrize("store", STORES)
def test_another_callback_has_a_start_url_once_and_start_s_own_not_again(store: str, tmp_path: Path) -> None:
    parse = asks(
        lambda self: Request(ROOT, self.said),
        lambda self: Request(ROOT, self.said),
        lambda self: Request(ROOT, self.other),
        lambda self: Request(ROOT, self.parse),
        lambda self: Request(ROOT),
    )
    result = crawl(spider(parse=parse, said=said, other=other), any_page, job=kept(store, tmp_path))
    assert calls(result) == [("parse", ROOT), ("said", ROOT)]
    assert refused(result) == [ROOT] * 4
    assert result.summary.stats["dupefilter/filtered"] == 4
    assert balanced(result)


def pause(folder: Path, **members: Any) -> tuple[Result, Result]:
    """Crawl, stop after the first page, and go on."""
    made, job = spider(**members), folder / "job.sqlite"
    stopped = crawl(
        made, any_page, job=job, during=lambda ready: later(ready, 0.08, ready.stop_now), latency=0.04, settings=QUICK
    )
    assert stopped.summary.resumable
    return stopped, crawl(made, any_page, job=job)


def test_a_resume_knows_with_which_callback_start_asked_for_what(tmp_path: Path) -> None:
    def parse(self: Any, response: Response) -> Any:
        yield {"by": "parse", "url": response.url}
        yield Request(ROOT + "more", self.more)

    def more(self: Any, response: Response) -> Any:
        for callback in (self.said, self.other, self.parse):
            yield Request(ROOT, callback)

    stopped, resumed = pause(tmp_path, parse=parse, more=more, said=said, other=other)
    assert stopped.urls == [ROOT, ROOT + "more"]
    assert calls(stopped) + calls(resumed) == [("parse", ROOT), ("said", ROOT)]
    assert refused(resumed) == [ROOT, ROOT]


def test_a_page_seen_by_its_second_callback_is_seen_after_a_resume_too(tmp_path: Path) -> None:
    def parse(self: Any, response: Response) -> Any:
        yield {"by": "parse", "url": response.url}
        yield Request(ROOT, self.said, priority=1)
        yield Request(ROOT + "more", self.more)

    def more(self: Any, response: Response) -> Any:
        yield Request(ROOT, self.said)
        yield {"by": "more", "url": response.url}

    made, job = spider(parse=parse, more=more, said=said), tmp_path / "job.sqlite"
    given = {"CONCURRENT_REQUESTS": 1, "JOB_COMMIT_SECONDS": 0.005}
    crawl(
        made, any_page, job=job, latency=0.04, settings=given, during=lambda ready: later(ready, 0.12, ready.stop_now)
    )
    resumed = crawl(made, any_page, job=job, settings=given)
    assert calls(resumed) == [("more", ROOT + "more")]


@pytest.mark.parametrize("store", STORES)
def test_where_a_start_url_is_sent_on_to_is_a_start_too(store: str, tmp_path: Path) -> None:
    site = {ROOT: Response(ROOT, 302, {"Location": "/home"}), ROOT + "home": "home", ROOT + "away": "x"}
    parse = asks(
        lambda self: Request(ROOT + "home", self.said),
        lambda self: Request(ROOT + "home", self.other),
        lambda self: Request(ROOT + "home"),
    )
    result = crawl(spider(parse=parse, said=said, other=other), site, job=kept(store, tmp_path))
    assert calls(result) == [("parse", ROOT + "home"), ("said", ROOT + "home")]
    assert balanced(result)


def test_a_link_that_is_sent_on_to_a_start_url_brings_it_to_its_own_callback_once() -> None:
    back = Response(ROOT, 302, {"Location": "/"})
    parse = asks(*(lambda self, n=n: Request(f"{ROOT}{n}", self.said) for n in range(3)))
    result = crawl(spider(parse=parse, said=said), {ROOT: "home", **{f"{ROOT}{n}": back for n in range(3)}})
    assert calls(result) == [("parse", ROOT), ("said", ROOT)]
    assert [event.reason for event in result.happened(RequestEnded) if event.outcome == "dropped"] == ["duplicate"] * 2
    assert result.summary.stats["request_dropped/duplicate"] == 2
    assert balanced(result)


@pytest.mark.parametrize("store", STORES)
def test_callbacks_are_told_apart_by_their_names_however_they_are_given(store: str, tmp_path: Path) -> None:
    parse = asks(
        lambda self: Request(ROOT, functools.partial(self.parse)),  # start()'s own
        lambda self: Request(ROOT, lambda response: said(self, response)),
        lambda self: Request(ROOT, lambda response: other(self, response)),
    )
    result = crawl(spider(parse=parse), any_page, job=kept(store, tmp_path))
    assert calls(result) == [("parse", ROOT), ("said", ROOT)]
    assert balanced(result)


def test_start_itself_may_ask_for_a_page_with_two_callbacks(tmp_path: Path) -> None:
    async def start(self: Any) -> Any:
        for callback in (self.parse, self.said, self.parse, self.other):
            yield Request(ROOT, callback)

    result = crawl(spider(start=start, parse=asks(), said=said, other=other), any_page, job=tmp_path / "job.sqlite")
    assert sorted(calls(result)) == [("parse", ROOT), ("said", ROOT)]
    assert balanced(result)


def form(url: str, target: str) -> Callable[[Any], Request]:
    return lambda self: Request(url, self.said, method="POST", body=b"a=b")


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("status", [301, 302, 303])
@pytest.mark.parametrize("hops", [1, 2])
def test_the_answer_to_a_form_is_no_duplicate(hops: int, status: int, store: str, tmp_path: Path) -> None:
    on = {ROOT + "check": Response(ROOT, 302, {"Location": "/b"})} if hops == 2 else {}
    site = {
        ROOT: "home",
        ROOT + "b": "seen",
        ROOT + "login": Response(ROOT, status, {"Location": "/check" if hops == 2 else "/b"}),
        **on,
    }

    def parse(self: Any, response: Response) -> Any:
        if response.url == ROOT:
            yield Request(ROOT + "b")
        else:
            yield Request(ROOT + "login", self.said, method="POST", body=b"a=b")

    result = crawl(spider(parse=parse, said=said), site, job=kept(store, tmp_path))
    assert calls(result) == [("said", ROOT + "b")]
    assert balanced(result)


def test_the_answer_to_a_form_by_a_meta_refresh_or_after_a_kill_is_no_duplicate(tmp_path: Path) -> None:
    refresh = '<meta http-equiv="refresh" content="5; url=/">'

    def parse(self: Any, response: Response) -> Any:
        yield Request(ROOT + "login", self.said, method="PUT", body=b"a=b")

    def site(request: Request) -> Any:
        return refresh if request.method == "PUT" else "home"

    made, job = spider(parse=parse, said=said), tmp_path / "job.sqlite"
    crawl(made, site, job=job, during=lambda ready: later(ready, 1.0, ready.stop_now))
    assert calls(crawl(made, site, job=job)) == [("said", ROOT)]
