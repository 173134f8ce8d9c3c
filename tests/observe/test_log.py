"""One record is one line, and cannot forge another."""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crawler.config.log_settings import LogSettings
from crawler.config.settings import Settings
from crawler.errors import OutputError
from crawler.model.masking import escape
from crawler.observe.log import JsonLines, Lines, LogCount, log_for_script, start_logging
from crawler.stats import Stats

logger = logging.getLogger("tests.log")


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def logging_to(lines: list[str]) -> Iterator[Callable[[str], None]]:
    undo: list[Callable[[], None]] = []
    yield lambda form: undo.append(start_logging(LogSettings(LOG_FORMAT=form), write=lines.append))
    for stop in undo:
        stop()


HOSTILE = "a\n2026-01-01 00:00:00 ERROR forged: x\r\x1b[2J\x00\x9b31m\u2028\u202e\ud800\tend"


def test_control_characters_are_escaped() -> None:
    assert escape(HOSTILE).isprintable()
    assert escape("\n\r\t\x1b\u2028") == r"\n\r\t\x1b\u2028"
    assert escape("Größe – 価格 😀") == "Größe – 価格 😀"


@pytest.mark.parametrize("form", ["text", "json"])
def test_one_record_is_one_line(logging_to: Callable[[str], None], lines: list[str], form: str) -> None:
    logging_to(form)
    logger.warning("page %s", HOSTILE)
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        logger.exception("failed")
    assert len(lines) == 2
    for line in lines:
        assert line.endswith("\n")
        assert line[:-1].isprintable()
        assert len(line.splitlines()) == 1


def test_json_lines_have_the_record_s_parts(logging_to: Callable[[str], None], lines: list[str]) -> None:
    logging_to("json")
    logger.error("no %s", "way", extra={"trace": ["a.py:1 in f: g()", "b.py:2 in g: h()"]})
    record = json.loads(lines[0])
    assert record["time"].endswith("Z")
    del record["time"]
    assert record == {
        "level": "ERROR",
        "logger": "tests.log",
        "message": "no way",
        "trace": "a.py:1 in f: g() | b.py:2 in g: h()",
    }


def test_text_lines_name_the_frames(logging_to: Callable[[str], None], lines: list[str]) -> None:
    logging_to("text")
    try:
        raise ValueError("why")
    except ValueError:
        logger.exception("failed")
    assert "ERROR tests.log: failed | ValueError: why | " in lines[0]
    assert 'in test_text_lines_name_the_frames: raise ValueError("why")' in lines[0]


def test_the_level_is_kept_and_given_back(lines: list[str]) -> None:
    before = logging.getLogger().level
    stop = start_logging(level="ERROR", write=lines.append)
    logger.warning("no")
    logger.error("yes")
    stop()
    logger.error("after")
    assert [line.rpartition(" ")[2] for line in lines] == ["yes\n"]
    assert logging.getLogger().level == before


def test_the_log_goes_to_a_file(tmp_path: Path, lines: list[str]) -> None:
    file = tmp_path / "crawl.log"
    for word in ("first", "second"):
        stop = start_logging(LogSettings(LOG_FILE=str(file)), write=lines.append)
        logger.info("%s \ud800", word)
        stop()
    assert [line.split()[-2] for line in file.read_text().splitlines()] == ["first", "second"]
    assert lines == []


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"LOG_FILE: cannot write .*No such file"):
        start_logging(LogSettings(LOG_FILE=str(tmp_path / "no" / "crawl.log")))


def test_no_log_writes_nothing_but_is_counted(capfd: pytest.CaptureFixture[str], lines: list[str]) -> None:
    stats = Stats()
    count = LogCount(stats)
    stop = start_logging(LogSettings(LOG_ENABLED=False), write=lines.append)
    logging.getLogger().addHandler(count)
    logger.error("x")
    logger.warning("y")
    logging.getLogger().removeHandler(count)
    stop()
    assert lines == []
    assert capfd.readouterr().err == ""
    assert stats.get_stats() == {"log_count/ERROR": 1, "log_count/WARNING": 1}


def test_a_closed_terminal_is_no_error_of_the_crawl() -> None:
    def gone(line: str) -> None:
        raise BrokenPipeError

    stop = start_logging(write=gone)
    logger.error("x")
    stop()


def test_a_log_call_that_cannot_be_formatted_is_one_line(lines: list[str]) -> None:
    record = logging.LogRecord("shop", logging.WARNING, __file__, 7, "%d pages", ("nan",), None)
    Lines(lines.append, JsonLines()).emit(record)
    (line,) = lines
    assert json.loads(line)["message"] == (
        "a log call at tests/observe/test_log.py:7 cannot be formatted: "
        "%d format: a real number is required, not str: '%d pages' with ('nan',)"
    )


def test_what_python_warns_of_is_a_line(logging_to: Callable[[str], None], lines: list[str]) -> None:
    logging_to("json")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning(UserWarning("old"), UserWarning, "spider.py", 7, line="old()")
    (line,) = lines
    assert json.loads(line)["message"] == "spider.py:7: UserWarning: old"


def test_a_message_of_ours_is_not_a_million_characters_long(
    logging_to: Callable[[str], None], lines: list[str]
) -> None:
    logging_to("text")
    logging.getLogger("crawler.engine").warning("Ignoring %s: why", "x" * 1_000_000)
    logger.warning("%s", "x" * 10_000)
    assert len(lines[0]) < 6000
    assert lines[0].endswith("xxx: why\n")
    assert len(lines[1]) > 10_000


def test_a_full_disk_under_the_log_is_no_error_of_the_crawl(lines: list[str]) -> None:
    stop = start_logging(LogSettings(LOG_FILE="/dev/full"), write=lines.append)
    logger.error("x")
    stop()


def test_a_template_makes_the_lines(lines: list[str]) -> None:
    settings = LogSettings(LOG_FORMAT="[%(name)s] %(levelname)s at %(asctime)s: %(message)s", LOG_DATEFORMAT="%Y")
    stop = start_logging(settings, write=lines.append)
    logger.info("one\n%s", "two")
    stop()
    assert lines == [f"[{logger.name}] INFO at {time.strftime('%Y')}: one\\ntwo\n"]


def test_a_template_may_name_what_only_some_records_have(lines: list[str]) -> None:
    stop = start_logging(LogSettings(LOG_FORMAT="%(spider)s %(message)s"), write=lines.append)
    logger.info("a", extra={"spider": "shop"})
    logger.info("b")
    stop()
    assert lines[0] == "shop a\n"
    assert lines[1].endswith(f"INFO {logger.name}: b\n")


def test_a_log_file_may_be_begun_anew_in_another_encoding(tmp_path: Path) -> None:
    file = tmp_path / "crawl.log"
    settings = LogSettings(LOG_FILE=str(file), LOG_FILE_APPEND=False, LOG_ENCODING="latin-1")
    for word in ("first", "caf\xe9"):
        stop = start_logging(settings)
        logger.info(word)
        stop()
    assert [line.split()[-1] for line in file.read_bytes().splitlines()] == [b"caf\xe9"]


def test_what_is_printed_may_be_logged_and_names_be_short(lines: list[str]) -> None:
    stdout = sys.stdout
    stop = start_logging(LogSettings(LOG_STDOUT=True, LOG_SHORT_NAMES=True), write=lines.append)
    print("printed")
    logging.getLogger("crawler.engine").info("told")
    stop()
    assert [line.split(" ", 3)[3] for line in lines] == ["stdout: printed\n", "crawler: told\n"]
    assert sys.stdout is stdout


def test_the_lines_of_a_script_s_crawls_are_counted_and_shown_once(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    several = [Stats(), Stats()]
    stops = [log_for_script(Settings({"LOG_LEVEL": "INFO"}), lambda: None, stats) for stats in several]
    logger.info("said")
    for stop in stops:
        stop()
    logger.info("after")
    assert [stats.get_stats() for stats in several] == [{"log_count/INFO": 1}, {"log_count/INFO": 1}]
    assert capfd.readouterr().err.count("said") == 1
    assert logging.getLogger().handlers == []
