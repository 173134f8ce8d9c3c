"""Does the board show a crawl as it is, in virtual time?"""

from __future__ import annotations

from collections.abc import Callable
from operator import methodcaller
from pathlib import Path
from typing import Any

import msgspec
import pytest

from crawler import Spider, testing
from crawler.assembly.companions import Kind
from crawler.errors import FetchTimeout, StoreError
from crawler.events import CrawlClosed
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.observe.board.shown import Changes, HostRow, Now
from crawler.observe.board.source import Source
from crawler.storage import history
from tests.engine.virtual import any_page, ask, crawl, later, page_item, spider


@pytest.fixture(autouse=True)
def looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every crawl has a board, and nothing that listens."""
    monkeypatch.setattr("crawler.assembly.KINDS", (Kind(lambda core: True, "crawler.assembly.board"),))


def watch(
    spider_class: type[Spider],
    site: testing.Site,
    at: dict[float, Callable[[Source], Any]],
    *,
    latency: float = 0.01,
    job: Path | None = None,
    **settings: Any,
) -> tuple[dict[float, Any], Source, testing.Result]:
    """Crawl, and look at the board at these virtual seconds; return what was seen, and the board after the end."""
    seen: dict[float, Any] = {}
    sources: list[Source] = []

    def during(ready: Any) -> None:
        source = ready.companions.watched.source
        sources.append(source)

        def look(seconds: float) -> None:
            seen[seconds] = at[seconds](source)

        for seconds in at:
            later(ready, seconds, look, seconds)

    given = {"RANDOMIZE_DOWNLOAD_DELAY": False, **settings}
    result = crawl(spider_class, site, during=during, settings=given, latency=latency, job=job)
    return seen, sources[0], result


now, series = methodcaller("now"), methodcaller("series")


def paced(count: int, *hosts: str) -> type[Spider]:
    """A spider that asks hosts for so many pages each, and yields an item of each page."""
    urls = [f"http://{host}/{number}" for number in range(count) for host in hosts or ["h0.test"]]
    return spider(start=ask(*urls), parse=page_item)


def test_rates_and_totals_are_those_of_the_virtual_clock() -> None:
    seen, board, result = watch(paced(40), any_page, {10.3: now, 15.3: series}, DOWNLOAD_DELAY=0.5)
    then, steps = seen[10.3], seen[15.3]
    assert isinstance(then, Now)
    assert (then.job.spider, then.job.state, then.job.resumed, then.job.reason) == ("made", "running", False, "")
    assert then.rates.pages == then.rates.items == pytest.approx(2.0, rel=0.1)
    assert then.seconds == pytest.approx(10.3, abs=0.1)
    assert (then.totals.pages, then.totals.items, then.totals.in_flight) == (21, 21, 0)
    assert set(steps.pages[1:]) == {2.0}
    assert (steps.step, len(steps.time)) == (1.0, 15)
    assert all(size > 1_000_000 for size in steps.memory)
    after = board.now()
    assert (after.job.state, after.job.reason, after.totals.items) == ("finished", "finished", result.summary.items)
    assert sum(board.series().pages) == pytest.approx(40, abs=3)  # the last step is shorter than a second
    assert board.feeds()[0].items == 40


def test_a_resumed_crawl_begins_its_rates_anew_and_goes_on_with_its_totals(tmp_path: Path) -> None:
    job = tmp_path / "job.db"
    stopping = paced(40)
    stopping.custom_settings = {"CLOSESPIDER_PAGECOUNT": 20}
    _, first, _ = watch(stopping, any_page, {}, job=job, DOWNLOAD_DELAY=0.5)
    seen, _, _ = watch(paced(40), any_page, {5.3: now, 5.4: series}, job=job, DOWNLOAD_DELAY=0.5)
    assert (first.now().job.state, first.now().job.reason) == ("stopped", "closespider_pagecount")
    assert seen[5.3].job.resumed
    assert seen[5.3].totals.pages > 25
    assert max(seen[5.4].pages) <= 3.0


@pytest.mark.parametrize(
    ("settings", "site", "why", "seconds"),
    [
        ({"DOWNLOAD_DELAY": 10.0}, "page", "delay", 5.0),
        ({"CONCURRENT_REQUESTS_PER_DOMAIN": 1}, 20.0, "concurrency", None),
        ({"ROBOTSTXT_OBEY": True}, 20.0, "robots.txt", None),
        ({"DOWNLOAD_DELAY": 1.0}, {"Retry-After": "60"}, "Retry-After", 55.0),
        ({"DOWNLOAD_DELAY": 1.0, "ROBOTSTXT_OBEY": True}, "User-agent: *\nCrawl-delay: 20", "Crawl-delay", 15.0),
    ],
)
def test_a_host_says_why_nothing_is_sent_and_until_when(
    settings: dict[str, Any], site: float | str | dict[str, str], why: str, seconds: float | None
) -> None:
    """A site that is a number answers after so many seconds, a dict has the headers of a 503, a text is all pages."""

    def answer(request: Request) -> testing.Page:
        if isinstance(site, dict):
            return Response(request.url, status=503, headers=site)
        return str(site)

    seen, _, _ = watch(
        paced(6), answer, {5.0: lambda board: board.host("h0.test")}, RETRY_TIMES=0, CLOSESPIDER_TIMEOUT=30,
        latency=site if isinstance(site, float) else 0.0, **settings,
    )  # fmt: skip
    row = seen[5.0]
    assert isinstance(row, HostRow)
    assert row.why == why
    assert row.seconds == (None if seconds is None else pytest.approx(seconds, abs=0.1))


def test_a_host_that_waits_for_a_slot_of_the_crawl_says_so() -> None:
    def parse(self: Spider, response: Response) -> Any:
        yield from (Request(f"http://h{number}.test/") for number in range(4))

    made = spider(start=ask("http://first.test/"), parse=parse)
    seen, _, _ = watch(
        made, any_page, {15.0: lambda board: board.hosts(sort="name").rows}, latency=10.0, CONCURRENT_REQUESTS=2
    )
    assert sorted(row.why for row in seen[15.0] if row.queued) == ["slots", "slots"]


def test_hosts_tell_what_they_have_answered_and_how_they_are_slowed_down() -> None:
    def answer(request: Request) -> testing.Page:
        if request.host == "down.test":
            return FetchTimeout("no answer", request=request)
        return Response(request.url, status=404 if request.url.endswith("/1") else 200)

    _, board, _ = watch(
        paced(4, "up.test", "down.test"), answer, {}, DOWNLOAD_DELAY=1.0, RETRY_TIMES=0, ROBOTSTXT_OBEY=False,
        CONCURRENT_REQUESTS_PER_DOMAIN=4,
    )  # fmt: skip
    down, up = board.hosts(sort="name", descending=False).rows
    assert (down.name, down.pages, down.errors, down.queued) == ("down.test", 0, 4, 0)
    assert down.throttle.startswith("1 at once, ")
    assert down.throttle.endswith("FetchTimeout")
    assert (up.name, up.pages, up.errors, up.throttle, up.robots) == ("up.test", 4, 1, "", "")
    assert [(kind.kind, kind.count, kind.url) for kind in board.errors()] == [
        ("FetchTimeout", 4, "http://down.test/0"),
        ("status 404", 1, "http://up.test/1"),
    ]


def test_only_what_changed_is_told_again() -> None:
    numbers: list[int] = []

    def changes(board: Source) -> Changes:
        told = board.changes(numbers[-1] if numbers else 0)
        numbers.append(told.number)
        return told

    site = {"http://fast.test/0": "page", "http://slow.test/0": "page", "http://slow.test/1": "page"}
    urls = [*site, "http://slow.test/2"]
    seen, _, _ = watch(
        spider(start=ask(*urls), parse=page_item), site, {2.5: changes, 4.5: changes, 8.5: changes},
        DOWNLOAD_DELAY=6.0,
    )  # fmt: skip
    assert {row.name for row in seen[2.5].hosts} == {"fast.test", "slow.test"}
    assert set(seen[2.5].parts) == {"items", "feeds"}
    assert (seen[4.5].hosts, seen[4.5].parts) == ([], [])
    assert [row.name for row in seen[8.5].hosts] == ["slow.test"]
    assert set(seen[8.5].parts) == {"items", "feeds"}


def test_the_last_items_are_shown() -> None:
    _, board, _ = watch(paced(120), any_page, {})
    items = board.items()
    assert len({item.url for item in items}) == 50
    assert all(item.text == f'{{"url":"{item.url}"}}' for item in items)


def test_who_hears_that_the_crawl_is_closed_sees_all_of_it() -> None:
    def during(ready: Any) -> None:
        board = ready.companions.watched.source
        ready.events.subscribe(CrawlClosed, lambda _: seen.append((len(board.items()), board.series().items)))

    seen: list[Any] = []
    result = crawl(paced(3), any_page, during=during)
    assert result.seconds < 1.0
    ((items, rates),) = seen
    assert items == 3
    assert len(rates) == 1
    assert rates[0] > 3.0


def test_an_error_of_the_users_names_the_line() -> None:
    def parse(self: Spider, response: Response) -> None:
        raise ValueError("no price")

    _, board, _ = watch(spider(start=ask("http://h0.test/"), parse=parse), any_page, {})
    (kind,) = board.errors()
    assert (kind.kind, kind.url, kind.message) == ("ValueError in parse", "http://h0.test/", "ValueError: no price")
    assert kind.where.endswith('in parse: raise ValueError("no price")')


def test_latency_is_that_of_the_answers_of_the_last_minute() -> None:
    def answer(request: Request) -> testing.Page:
        slow = request.url.endswith("0")
        return Response(request.url, latency=2.0 if slow else 0.1)

    seen, board, _ = watch(paced(20), answer, {18.5: now}, DOWNLOAD_DELAY=1.0)
    latency = seen[18.5].latency
    assert latency.p50 == pytest.approx(0.1, rel=0.26)
    assert latency.p99 == pytest.approx(2.0, rel=0.26)
    assert sum(board.latencies().counts) == 20
    assert board.latencies().sum == pytest.approx(2 * 2.0 + 18 * 0.1)


def test_a_paused_crawl_and_its_hosts_say_so() -> None:
    def during(ready: Any) -> None:
        control, board = ready.crawler.control, ready.companions.watched.source
        later(ready, 3.2, lambda: control.pause(None, who="test"))
        later(ready, 5.2, lambda: seen.append((board.now().job.state, board.host("h0.test"), board.changes(0).parts)))
        later(ready, 6.2, lambda: control.resume(None, who="test"))

    seen: list[Any] = []
    crawl(paced(9), any_page, during=during, settings={"DOWNLOAD_DELAY": 1.0})
    ((state, row, parts),) = seen
    assert state == "paused"
    assert (row.why, row.paused) == ("paused", True)
    assert "steered" in parts


def test_a_setting_and_a_host_show_what_somebody_has_changed() -> None:
    def during(ready: Any) -> None:
        control, board = ready.crawler.control, ready.companions.watched.source
        later(ready, 2.2, lambda: control.set("DOWNLOAD_DELAY", "3", host=None, who="page"))
        later(ready, 2.3, lambda: control.pause("h1.test", who="page"))
        later(ready, 3.2, lambda: seen.append((board.settings(), board.host("h0.test"), board.host("h1.test"))))
        later(ready, 3.3, lambda: seen.append(board.changes(2)))
        later(ready, 4.2, lambda: control.resume("h1.test", who="page"))

    seen: list[Any] = []
    crawl(paced(5, "h0.test", "h1.test"), any_page, during=during, settings={"DOWNLOAD_DELAY": 1.0})
    (settings, slower, paused), changes = seen
    row = next(row for row in settings if row.name == "DOWNLOAD_DELAY")
    assert (row.value, row.live, row.who) == ("3.0", True, "page")
    assert slower.delay == 3.0
    assert (paused.why, paused.paused) == ("paused", True)
    assert {"settings", "steered"} <= set(changes.parts)


def test_settings_are_shown_with_origin_and_without_secrets() -> None:
    _, board, _ = watch(
        paced(1), any_page, {}, DOWNLOAD_DELAY=0.5, HTTP_AUTH={"http://h0.test": "user:secret"}, MY_API_KEY="secret",
        MONGO_URI="mongodb://root:secret@db/", STATUS_TOKEN="secret", DATABASE={"host": "db", "password": "secret"},
        DEFAULT_REQUEST_HEADERS={"Accept": "text/html", "Authorization": "secret", "Cookie": "secret"},
    )  # fmt: skip
    rows = {row.name: row for row in board.settings()}
    assert "secret" not in msgspec.json.encode(board.settings()).decode()
    assert (rows["DOWNLOAD_DELAY"].value, rows["DOWNLOAD_DELAY"].origin) == ("0.5", "script")
    assert rows["MONGO_URI"].value == "mongodb://root:***@db/"
    assert rows["DATABASE"].value == '{"host":"db","password":"***"}'
    assert rows["MY_API_KEY"].value == rows["STATUS_TOKEN"].value == "***"


def kept(folder: Path, job: str, spider_name: str) -> Path:
    run = history.Run(job=job, spider=spider_name, created=100.0, ended=160.0, done=9, failed=1, items=7)
    return history.write(folder, run, history.Kept([]))


def test_earlier_runs_of_the_spider_are_shown(tmp_path: Path) -> None:
    kept(tmp_path / "jobs", "made-1", "made")
    kept(tmp_path / "jobs", "other-1", "other")
    _, board, _ = watch(paced(1), any_page, {}, JOB_DIR=str(tmp_path / "jobs"))
    assert [(run.job, run.state, run.seconds, run.items) for run in board.history()] == [
        ("made-1", "finished", 60.0, 7)
    ]


def test_earlier_runs_that_cannot_be_read_are_told_of_and_harm_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unreadable(*_: object) -> None:
        raise StoreError("the disk is broken")

    monkeypatch.setattr("crawler.assembly.board.runs_of", unreadable)
    _, board, result = watch(paced(1), any_page, {})
    assert result.summary.reason == "finished"
    assert list(board.history()) == []
    assert "Earlier runs are not shown: the disk is broken" in caplog.text


def test_nobody_looks_no_board(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    boards: list[Any] = []
    crawl(paced(1), any_page, during=lambda ready: boards.append(ready.companions))
    assert repr(boards[0]) == "<Companions []>"
