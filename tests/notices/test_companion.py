"""Who is told of what in a crawl, and of what only once?"""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace
from twisted.internet.defer import Deferred, succeed

from crawler.config.settings import Settings
from crawler.errors import SettingError
from crawler.events import CrawlClosing, CrawlOpened, Events, MemoryHigh, Stalled
from crawler.notices.companion import END_SECONDS, POLL_SECONDS, Notices
from crawler.observe.board.shown import ErrorKind, Job, Now, Run, Totals
from crawler.summary import FeedSummary, Summary
from tests.notices.support import MemoryNetwork

HOOK = {"to": "https://hooks.example/SECRET"}
VALUE_ERROR = ErrorKind(kind="ValueError in parse", count=2, url="http://a.example/1", where="shop.py:9 in parse: 1/0")


class Source:
    """What there is to see of a crawl."""

    def __init__(self) -> None:
        self.totals = Totals()
        self.kinds: list[ErrorKind] = []
        self.runs: list[Run] = []

    def now(self) -> Now:
        return Now(time=0.0, job=Job(spider="shop", state="running"), totals=self.totals)

    def errors(self) -> list[ErrorKind]:
        return self.kinds

    def history(self) -> list[Run]:
        return self.runs


class Crawl:
    """A crawl that is told of; ``kept`` are the facts of its job, ``keeping`` fires when the next is there."""

    def __init__(self, *places: dict[str, Any], kept: dict[str, Any] | None = None, **settings: Any) -> None:
        self.source = Source()
        self.network = MemoryNetwork()
        self.clock = self.network.clock
        self.kept: dict[str, Any] = kept if kept is not None else {}
        self.keeping: Deferred[None] | None = None
        self.events = Events()
        self.notices = Notices(self.watched({"NOTICES": [*places] or [HOOK], **settings}), self.network)
        Deferred.fromCoroutine(self.notices.open())
        self.events.publish(CrawlOpened(None, "shop-1", bool(kept)))

    def watched(self, settings: dict[str, Any]) -> Any:
        return SimpleNamespace(
            spider=SimpleNamespace(name="shop"), settings=Settings.load(None, None, {}, script=settings), job="shop-1",
            events=self.events, world=SimpleNamespace(clock=self.clock), source=self.source, keep=self._keep,
            kept=self.kept.get, go_on="crawler resume shop-1",
        )  # fmt: skip

    def _keep(self, name: str, value: Any) -> Deferred[None]:
        self.kept[name] = value
        return self.keeping or succeed(None)

    def fails(self, *kinds: ErrorKind, **totals: int) -> None:
        self.source.kinds += kinds
        self.source.totals = replace(self.source.totals, errors=self.source.totals.errors + len(kinds), **totals)

    def pass_time(self, seconds: float = POLL_SECONDS) -> None:
        for _ in range(int(seconds / POLL_SECONDS)):
            self.clock.advance(POLL_SECONDS)

    def told(self) -> list[str]:
        return [json.loads(body)["title"] for _, body in self.network.posted]

    def lines(self) -> list[str]:
        lines: list[str] = json.loads(self.network.posted[-1][1])["lines"]
        return lines

    def closes(self, summary: Summary | None = None) -> Deferred[None]:
        self.events.publish(CrawlClosing("finished"))
        return Deferred.fromCoroutine(self.notices.close(summary))


def summary(**more: Any) -> Summary:
    return Summary(**{"spider": "shop", "job": "shop-1", "pages": 20, "items": 10, "seconds": 4.0, **more})


def test_the_first_error_of_a_kind_is_told_once_with_its_line() -> None:
    crawl = Crawl()
    crawl.fails(VALUE_ERROR)
    crawl.pass_time(20)
    crawl.fails(ErrorKind(kind="status 500", count=1))
    crawl.pass_time(20)

    assert crawl.told() == ["shop: first ValueError in parse", "shop: first status 500"]
    assert json.loads(crawl.network.posted[0][1])["lines"] == ["at: shop.py:9 in parse: 1/0", "url: http://a.example/1"]


def test_what_was_told_is_not_told_again_by_a_run_that_goes_on() -> None:
    crawl = Crawl()
    crawl.fails(VALUE_ERROR, pages=100, failed=50)
    crawl.pass_time()
    assert crawl.told() == ["shop: first ValueError in parse"]

    again = Crawl(kept=crawl.kept)
    again.fails(VALUE_ERROR, ErrorKind(kind="status 500", count=1))
    again.pass_time()
    assert again.told() == ["shop: first status 500"]


def test_nothing_is_told_before_the_job_knows_that_it_was() -> None:
    crawl = Crawl()
    crawl.keeping = Deferred()
    crawl.fails(VALUE_ERROR)
    crawl.pass_time()
    assert "error ValueError in parse" in crawl.kept["notices"]["told"]
    assert crawl.told() == []
    crawl.keeping.callback(None)
    assert crawl.told() == ["shop: first ValueError in parse"]


def test_the_hour_goes_on_in_a_run_that_goes_on() -> None:
    crawl = Crawl(NOTICE_RULES={"per_hour": 1, "nothing_seconds": None})
    crawl.fails(VALUE_ERROR, ErrorKind(kind="b", count=1))
    crawl.pass_time(15)
    crawl.fails(ErrorKind(kind="c", count=1))
    crawl.pass_time(15)
    assert len(crawl.told()) == 1

    again = Crawl(kept=crawl.kept, NOTICE_RULES={"per_hour": 1, "nothing_seconds": None})
    again.fails(ErrorKind(kind="d", count=1))
    again.pass_time()
    assert again.told() == []
    again.pass_time(3600)
    assert again.told() == ["1 more notice"]


def test_a_rule_that_is_met_is_told_once() -> None:
    crawl = Crawl()
    crawl.pass_time(595)
    assert crawl.told() == []
    crawl.pass_time(2000)
    assert crawl.told() == ["shop: nothing has come for 10 min 0 s"]
    crawl.fails(pages=50, failed=60)
    crawl.source.totals = replace(crawl.source.totals, errors=60)
    crawl.pass_time(30)
    assert crawl.told()[1:] == ["shop: 55% errors (60 of 110)"]


def test_a_stall_and_high_memory_are_told_by_their_events() -> None:
    crawl = Crawl()
    crawl.events.publish(Stalled(600.0, ("2 requests wait for robots.txt of a.example",)))
    assert crawl.told() == ["shop: nothing has come for 10 min 0 s"]
    assert crawl.lines() == ["2 requests wait for robots.txt of a.example"]
    crawl.pass_time(1200)
    assert len(crawl.told()) == 1
    crawl.events.publish(MemoryHigh(3 << 30, 1 << 30, "stopped"))
    assert crawl.told()[1:] == ["shop: memory has ended the crawl"]
    assert crawl.lines() == ["3,072 MiB, where 1,024 MiB are allowed"]


def test_the_report_has_counts_errors_with_their_lines_feeds_and_how_to_go_on() -> None:
    crawl = Crawl()
    crawl.fails(VALUE_ERROR)
    over = crawl.closes(summary(reason="shutdown", exit_status=130, errors=2, queued=3, resumable=True,
                                feeds=[FeedSummary(path="items.jsonl", items=10)]))  # fmt: skip
    assert over.called
    assert crawl.told() == ["shop: first ValueError in parse", "shop: stopped by hand after 4.0 s, 10 items, 2 errors"]
    for line in (
        "Pages: 20 (5.0/s)", "Output: items.jsonl (10 items)", "Go on with: crawler resume shop-1",
        "2 × ValueError in parse", "    at: shop.py:9 in parse: 1/0", "Queued: 3",
    ):  # fmt: skip
        assert line in crawl.lines()


def test_a_run_that_brought_half_of_the_usual_is_told_of_though_it_finished() -> None:
    crawl = Crawl(HOOK, {"to": "https://rules.example/", "on": ["rules"]})
    crawl.source.runs = [Run(job="shop-1", spider="shop", state="finished", items=100)] * 3
    crawl.closes(summary(items=40))
    assert crawl.told() == ["shop: done after 4.0 s, 40 items, 0 errors", "shop: 40 items, where 100 are usual"]
    assert json.loads(crawl.network.posted[0][1])["lines"][0] == "Not as usual: 40 items, where 100 are usual"

    stopped = Crawl()
    stopped.source.runs = crawl.source.runs
    stopped.closes(summary(items=40, reason="shutdown"))
    assert not [line for line in stopped.lines() if "usual" in line]


def test_a_run_that_broke_off_is_reported_and_one_that_did_not_begin_is_not() -> None:
    crawl = Crawl()
    crawl.fails(pages=7)
    assert crawl.closes(None).called
    assert crawl.told() == ["shop: broke off"]
    assert "Pages: 7" in crawl.lines()

    never = Notices(crawl.watched({"NOTICES": [HOOK]}), MemoryNetwork())
    assert Deferred.fromCoroutine(never.close(None)).called


def test_each_place_is_told_what_it_wants() -> None:
    crawl = Crawl({"to": "https://end.example/", "on": ["end"]}, {"to": "https://errors.example/", "on": ["errors"]})
    crawl.fails(VALUE_ERROR)
    crawl.pass_time()
    crawl.closes(summary())
    assert [url for url, _ in crawl.network.posted] == ["https://errors.example/", "https://end.example/"]


def test_a_place_that_hangs_holds_the_end_for_some_seconds_and_no_other_place(caplog: pytest.LogCaptureFixture) -> None:
    crawl = Crawl({"to": "mailto:a@b.example", "by": "smtp://mail.example"}, HOOK)
    crawl.fails(VALUE_ERROR)
    crawl.pass_time()
    over = crawl.closes(summary())
    assert crawl.told()[1:] == ["shop: done after 4.0 s, 10 items, 0 errors"]
    assert not over.called
    crawl.clock.advance(END_SECONDS - 1)
    assert not over.called
    crawl.clock.advance(2)
    assert over.called
    assert crawl.clock.getDelayedCalls() == []
    assert "mailto:a@b.example has not taken the last notices in time" in caplog.text


@pytest.mark.parametrize("settings", [{"NOTICES": [{"to": "ftp://x/"}]}, {"NOTICE_RULES": {"per_day": 1}}])
def test_what_is_wrong_is_found_before_the_start(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=next(iter(settings))):
        Crawl(**settings) if "NOTICES" not in settings else Crawl(*settings["NOTICES"])
