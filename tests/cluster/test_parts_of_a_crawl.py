"""What of a crawl of many workers is each worker's own, and what is added up?"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from crawler.commands.cluster.limits import Limits, Reached
from crawler.commands.cluster.parts import beside, settings_of_worker
from crawler.commands.cluster.relaying import Relay
from crawler.commands.cluster.totals import SummedStats, WorkerRates
from crawler.config.schema import CoreSettings


@pytest.mark.parametrize(
    ("file", "own"),
    [
        ("pages.warc.gz", "pages.w1.warc.gz"),
        ("out/pages.warc", "out/pages.w1.warc"),
        ("pages", "pages.w1"),
        (".crawler/cache.sqlite", ".crawler/cache.w1.sqlite"),
        (".hidden.warc", ".hidden.w1.warc"),
    ],
)
def test_each_worker_has_files_of_its_own(file: str, own: str) -> None:
    assert beside(file, "w1") == own


def test_a_worker_writes_no_feed_and_has_its_own_archive_and_cache() -> None:
    core = CoreSettings(
        FEEDS={"x.jsonl": {}},
        WARC_FILE="x.warc",
        HTTPCACHE_ENABLED=True,
        CHANGES_FILE="x",
        CLOSESPIDER_TIMEOUT_NO_ITEM=3,
    )
    own = settings_of_worker(core, "w2")
    assert own["FEEDS"] == {}
    assert own["WARC_FILE"] == "x.w2.warc"
    assert own["CHANGES_FILE"] is None  # the starter writes it
    assert "HTTPCACHE_FILE" not in own  # one for all: each finds what another has kept
    assert own["CLOSESPIDER_TIMEOUT_NO_ITEM"] == 0


@pytest.mark.parametrize(
    ("core", "reached", "now", "reason"),
    [
        (CoreSettings(CLOSESPIDER_ITEMCOUNT=5), Reached(14, 0, 0), 1.0, None),
        (CoreSettings(CLOSESPIDER_ITEMCOUNT=5), Reached(15, 0, 0), 1.0, "closespider_itemcount"),
        (CoreSettings(CLOSESPIDER_PAGECOUNT=5), Reached(10, 26, 0), 1.0, "closespider_pagecount"),
        (CoreSettings(CLOSESPIDER_ERRORCOUNT=1), Reached(10, 20, 1), 1.0, "closespider_errorcount"),
        (CoreSettings(CLOSESPIDER_TIMEOUT=2.0), Reached(10, 20, 0), 1.9, None),
        (CoreSettings(CLOSESPIDER_TIMEOUT=2.0), Reached(10, 20, 0), 2.0, "closespider_timeout"),
        (CoreSettings(CLOSESPIDER_PAGECOUNT_NO_ITEM=3), Reached(10, 23, 0), 1.0, "closespider_pagecount_no_item"),
        (CoreSettings(CLOSESPIDER_PAGECOUNT_NO_ITEM=3), Reached(11, 23, 0), 1.0, None),
        (CoreSettings(CLOSESPIDER_TIMEOUT_NO_ITEM=1.0), Reached(10, 20, 0), 1.0, "closespider_timeout_no_item"),
        (CoreSettings(CLOSESPIDER_TIMEOUT_NO_ITEM=1.0), Reached(11, 20, 0), 1.0, None),
    ],
)
def test_limits_count_what_all_workers_did_since_the_start(
    core: CoreSettings, reached: Reached, now: float, reason: str | None
) -> None:
    assert Limits(SimpleNamespace(core=core), Reached(10, 20, 0), 0.0).reason(reached, now) == reason


def test_a_time_without_items_begins_anew_with_each() -> None:
    limits = Limits(SimpleNamespace(core=CoreSettings(CLOSESPIDER_TIMEOUT_NO_ITEM=1.0)), Reached(0, 0, 0), 0.0)
    said = [limits.reason(Reached(items, 0, 0), now) for now, items in ((0.5, 1), (1.0, 1), (1.5, 1), (2.0, 1))]
    assert said == [None, None, None, "closespider_timeout_no_item"]


def test_lines_of_workers_carry_their_names_as_text_and_as_json(tmp_path: Path) -> None:
    lines: list[str] = []
    screen: Any = SimpleNamespace(write=lines.append)
    Relay(CoreSettings(), screen).said("w1", "2026 INFO x: y\n")
    Relay(CoreSettings(LOG_FORMAT="json"), screen).said("w1", '{"level":"INFO"}\n')
    Relay(CoreSettings(LOG_FORMAT="json"), screen).said("w1", "a print\n")
    assert lines[0] == "w1 2026 INFO x: y\n"
    assert json.loads(lines[1]) == {"worker": "w1", "level": "INFO"}
    assert lines[2] == "w1 a print\n"


def test_lines_of_workers_go_to_the_log_file_of_the_crawl(tmp_path: Path) -> None:
    lines: list[str] = []
    screen: Any = SimpleNamespace(write=lines.append)
    Relay(CoreSettings(LOG_FILE=str(tmp_path / "log")), screen).said("w1", "x\n")
    assert (lines, (tmp_path / "log").read_text()) == ([], "w1 x\n")


def test_what_this_process_counts_is_added_to_what_the_workers_have() -> None:
    stats = SummedStats()
    stats.inc_value("log_count/WARNING")
    stats.take({"log_count/WARNING": 2, "response_received_count": 5})
    stats.take({"log_count/WARNING": 3, "response_received_count": 6})
    assert stats.get_stats() == {"log_count/WARNING": 4, "response_received_count": 6}


def test_the_pages_per_second_of_each_worker_are_shown() -> None:
    rates = WorkerRates()
    rates.add(0.0, {"w1": 10})
    assert rates.shown() == ""
    rates.add(2.0, {"w1": 30, "w2": 5})
    assert rates.shown() == "w1 10.0/s, w2 2.5/s"
