"""The live line, the lines that stand for it elsewhere, and the table at the end."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import pytest
from rich.console import Console

from crawler.errors import OutputError
from crawler.observe.progress import LiveLine, ProgressLines, Rates, Reading, duration, line_of, read
from crawler.observe.report import print_summary, rows, write_summary
from crawler.stats import Stats
from crawler.summary import FeedSummary, Summary


def test_a_reading_is_taken_from_the_stats() -> None:
    stats = Stats({"response_received_count": 5, "item_scraped_count": 4, "request_failed_count": 1})
    stats.inc_value("spider_exceptions/count", 2)
    assert read(stats, queued=7, seconds=1.5) == Reading(1.5, 5, 4, 7, 3)


def test_rates_are_those_of_the_last_ten_seconds() -> None:
    rates = Rates()
    assert rates.pages_per_second() == 0.0
    for second in range(100):
        rates.add(Reading(second, second * (1 if second < 80 else 5), 0, 0, 0))
    assert rates.pages_per_second() == pytest.approx(5)


def test_the_time_left_is_known_once_the_queue_shrinks() -> None:
    rates = Rates()
    for second in range(20):
        rates.add(Reading(second, second, 0, 100 + second, 0))
    assert rates.seconds_left() is None
    for second in range(20, 40):
        rates.add(Reading(second, second, 0, 140 - second, 0))
    assert rates.seconds_left() == pytest.approx(101)


def test_one_of_a_thing_is_said_in_the_singular() -> None:
    reading = Reading(2.0, 1, 1, 0, 1)
    rates = Rates()
    rates.add(reading)
    assert line_of(reading, rates).startswith("1 page · 1 item · ")
    assert line_of(reading, rates).endswith(" · 1 error")
    made = Summary(spider="books", pages=1, items=1, seconds=2.0, feeds=[FeedSummary(path="b.csv", items=1)])
    assert ("Output", "b.csv (1 item)") in rows(made)


def test_the_live_line() -> None:
    rates = Rates()
    reading = Reading(2.0, 1200, 900, 50, 2)
    rates.add(Reading(0.0, 1000, 0, 250, 0))
    rates.add(reading)
    assert (
        line_of(reading, rates) == "1,200 pages · 900 items · 100.0 pages/s · 50 queued · 2 errors · about 0.5 s left"
    )
    output = io.StringIO()
    live = LiveLine(Console(file=output, force_terminal=True, width=120, highlight=False))
    live.start()
    live.show(reading)
    live.write("a [bold]log[/bold] line\n")
    live.stop()
    assert "1,200 pages" in output.getvalue()
    assert "a [bold]log[/bold] line" in output.getvalue()


def test_lines_where_there_is_no_terminal(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    lines = ProgressLines()
    lines.show(Reading(60.0, 120, 100, 3, 0))
    lines.show(Reading(90.0, 180, 100, 0, 1))
    assert [record.getMessage() for record in caplog.records] == [
        "Crawled 120 pages (at 120 pages/min), scraped 100 items (at 100 items/min), 3 queued, 0 errors",
        "Crawled 180 pages (at 120 pages/min), scraped 100 items (at 0 items/min), 0 queued, 1 errors",
    ]


def test_a_resumed_crawl_s_rates_begin_with_what_it_had(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    before, later = Reading(10.0, 5000, 4000, 9, 0), Reading(70.0, 5060, 4030, 0, 0)
    lines = ProgressLines()
    lines.begin(before)
    lines.show(later)
    assert caplog.records[0].getMessage() == (
        "Crawled 5060 pages (at 60 pages/min), scraped 4030 items (at 30 items/min), 0 queued, 0 errors"
    )
    output = io.StringIO()
    live = LiveLine(Console(file=output, force_terminal=True, width=120, highlight=False))
    live.start()
    live.begin(before)
    live.show(later)
    live.stop()
    assert "5,060 pages · 4,030 items · 1.0 pages/s" in output.getvalue()


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.84, "0.8 s"), (42.4, "42 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_times_are_written_for_people(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def summary(**changes: object) -> Summary:
    made = Summary(spider="books", pages=100, items=90, seconds=2.0, feeds=[FeedSummary(path="b.csv", items=90)])
    made.stats = {"downloader/response_status_count/200": 100, "item_dropped_count": 3}
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def test_the_table_says_what_came_out() -> None:
    assert dict(rows(summary())) == {
        "Spider": "books",
        "Result": "done after 2.0 s",
        "Pages": "100 (50.0/s)",
        "Items": "90 (3 dropped)",
        "Errors": "0",
        "Output": "b.csv (90 items)",
    }


def test_the_table_of_a_crawl_that_was_stopped_says_how_to_go_on() -> None:
    stopped = summary(
        reason="shutdown", exit_status=130, queued=7, resumable=True, job="books-1", problems=["disk full"]
    )
    stopped.stats["downloader/response_status_count/404"] = 2
    said = dict(rows(stopped))
    assert said["Result"] == "stopped by hand after 2.0 s"
    assert said["Queued"] == "7"
    assert said["Statuses"] == "200: 100, 404: 2"
    assert said["Go on with"] == "crawler resume books-1"
    assert said["Problem"] == "disk full"
    assert dict(rows(summary(exit_status=1)))["Result"] == "failed after 2.0 s"


def test_the_rate_of_a_resumed_crawl_is_that_of_its_own_pages() -> None:
    assert dict(rows(summary(), pages_before=60))["Pages"] == "100 (20.0/s)"


def test_statuses_are_those_of_pages() -> None:
    made = summary()
    made.stats |= {"downloader/response_status_count/404": 3, "robotstxt/response_status_count/404": 3}
    assert "Statuses" not in dict(rows(made))
    made.stats["downloader/response_status_count/404"] = 5
    assert dict(rows(made))["Statuses"] == "200: 100, 404: 2"


def test_what_was_dropped_and_what_failed_has_a_line_each() -> None:
    made = summary()
    made.stats |= {
        "dupefilter/filtered": 2,
        "request_dropped/duplicate": 1,
        "offsite/filtered": 1200,
        "request_refused/invalid_url": 4,
        "request_refused/my_rule": 1,
        "robotstxt/forbidden": 5,
        "request_failed_count": 8,
        "request_failed/HttpError": 4,
        "httperror/response_ignored_status_count/404": 3,
        "httperror/response_ignored_status_count/500": 1,
        "request_failed/FetchTimeout": 2,
        "request_failed/NameNotResolved": 1,
        "request_failed/TLSError": 1,
    }
    said = dict(rows(made))
    assert said["Dropped"] == (
        "1,213 (1,200 off-site, 5 forbidden by robots.txt, 4 invalid URL, 3 duplicate, 1 my rule)"
    )
    assert said["Failed"] == "8 (3 status 404, 2 timeout, 1 TLS error, 1 name not resolved, 1 status 500)"


def test_items_that_were_not_written_are_told() -> None:
    cut = summary(reason="shutdown", exit_status=130, unfinished_items=90)
    assert dict(rows(cut))["Items"] == "90 (90 of unfinished pages and not written, 3 dropped)"


def test_a_reason_of_the_spider_s_own_is_told_as_one() -> None:
    assert dict(rows(summary(reason="enough")))["Result"] == "stopped (enough) after 2.0 s"
    failed = summary(reason="feed_error", exit_status=1)
    assert dict(rows(failed))["Result"] == "stopped: an output failed after 2.0 s"


def test_the_table_is_printed_safely() -> None:
    output = io.StringIO()
    print_summary(summary(problems=["[red]x[/red]\x1b[2J"]), Console(file=output, width=60))
    assert "[red]x[/red]\\x1b[2J" in output.getvalue()


def test_the_summary_is_written_as_json(tmp_path: Path) -> None:
    write_summary(summary(stats={"when": object}), str(tmp_path / "s.json"))
    written = json.loads((tmp_path / "s.json").read_text())
    assert (written["spider"], written["pages"], written["feeds"]) == ("books", 100, [{"path": "b.csv", "items": 90}])
    with pytest.raises(OutputError, match="--summary: cannot write"):
        write_summary(summary(), str(tmp_path / "no" / "s.json"))


def test_stats_that_cannot_be_said_do_not_keep_the_summary_from_being_written(tmp_path: Path) -> None:
    class Speechless:
        def __str__(self) -> str:
            raise RuntimeError("no words")

    made = summary()
    made.stats |= {"mine": Speechless(), "half \ud800": "\ud800", "pages": 3}
    made.stats[5] = 1  # type: ignore[index]
    assert dict(rows(made))["Items"] == "90 (3 dropped)"
    write_summary(made, str(tmp_path / "summary.json"))
    stats = json.loads((tmp_path / "summary.json").read_text())["stats"]
    assert (stats["mine"], stats["half ?"], stats["pages"], stats["5"]) == ("<Speechless>", "?", 3, 1)
