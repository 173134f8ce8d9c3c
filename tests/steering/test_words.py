"""What a line of words does to a crawl, and what is said of one that is none."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.errors import SteeringError
from crawler.observe.board.shown import ErrorKind
from crawler.steering import telling
from crawler.steering.words import WORDS, Words
from tests.observe.board.made_up import MadeUp
from tests.steering.controls import Remembered


def said(words: Words, line: str) -> list[str]:
    """Return what is said of a line, all of whose answers are there at once."""
    results: list[Any] = []
    Deferred.fromCoroutine(words.do(line, who="page")).addBoth(results.append)
    if isinstance(results[0], Failure):
        results[0].raiseException()
    lines: list[str] = results[0]
    return lines


@pytest.fixture
def control() -> Remembered:
    return Remembered(refuses="-1")


@pytest.fixture
def words(control: Remembered) -> Words:
    return Words(MadeUp(), control)


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("pause", "pause None page"),
        ("pause all", "pause None page"),
        ("  pause   example.com ", "pause example.com page"),
        ("resume", "resume None page"),
        ("resume example.com", "resume example.com page"),
        ("delay example.com 2", "set DOWNLOAD_DELAY 2 example.com page"),
        ("delay all 0.5", "set DOWNLOAD_DELAY 0.5 None page"),
        ("concurrency all 4", "set CONCURRENT_REQUESTS_PER_DOMAIN 4 None page"),
        ("set LOG_LEVEL DEBUG", "set LOG_LEVEL DEBUG None page"),
        ('set NAME "two words"', "set NAME two words None page"),
        ("add http://example.com/?a=1&b=#c", "add http://example.com/?a=1&b=#c page"),
        ("drop example.com", "drop example.com page"),
        ("stop", "stop page"),
    ],
)
def test_a_line_is_one_call_of_the_control(words: Words, control: Remembered, line: str, call: str) -> None:
    assert said(words, line) == [f"did {call}"]
    assert control.calls == [call]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("pasue", 'there is no "pasue" here; did you mean "pause"?; `help` lists what there is'),
        ("pause a b", "pause [HOST]: takes 0 or 1 argument, got 2"),
        ("delay 2", "delay HOST|all SECONDS: takes 2 arguments, got 1"),
        ("stop now", "stop: takes no argument, got 1"),
        ("set 'a b c", "No closing quotation: put an argument with a quote or a backslash in it between quotes"),
    ],
)
def test_what_is_no_word_is_noted(words: Words, control: Remembered, line: str, message: str) -> None:
    with pytest.raises(SteeringError) as caught:
        said(words, line)
    assert str(caught.value) == message
    assert (control.calls, control.refusals) == ([], [f"page: {message}"])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("hosts many", 'hosts [N]: N is a whole number from 1 to 200, not "many"'),
        ("hosts 0", 'hosts [N]: N is a whole number from 1 to 200, not "0"'),
        ("hosts ²", 'hosts [N]: N is a whole number from 1 to 200, not "²"'),
        ("set DOWNLOAD_DELAY -1", "DOWNLOAD_DELAY: expected a number, got '-1'"),
    ],
)
def test_what_is_wrong_says_what_would_be_right(words: Words, control: Remembered, line: str, message: str) -> None:
    with pytest.raises(SteeringError) as caught:
        said(words, line)
    assert str(caught.value) == message
    assert (control.calls, control.refusals) == ([], [])


@pytest.mark.parametrize("line", ["", "   ", "\t"])
def test_an_empty_line_does_nothing(words: Words, control: Remembered, line: str) -> None:
    assert said(words, line) == []
    assert control.calls == []


@pytest.mark.parametrize(
    "name", [name for name in WORDS if name not in ("status", "hosts", "errors", "settings", "help")]
)
def test_a_crawl_that_is_shown_only_is_not_steered(name: str) -> None:
    words = Words(MadeUp(), None)
    arguments = ["1" for takes in WORDS[name].takes if not takes.startswith("[")]
    with pytest.raises(SteeringError, match="shown only: start it with --status-control"):
        said(words, " ".join([name, *arguments]))


def test_help_has_a_line_for_each_word(words: Words) -> None:
    assert [line.split()[0] for line in said(words, "help")] == list(WORDS)


def test_memory_is_not_told_where_nobody_knows_it() -> None:
    told = telling.status(replace(MadeUp().now(), memory=0))
    assert told[2] == "queued 100  in flight 8  hosts 3"


def test_what_a_crawl_knows_is_told_in_lines(words: Words) -> None:
    assert said(words, "status") == [
        "shop-1: running, 0 s",
        "pages 0 (40.0/s)  items 0 (30.0/s)  errors 3  failed 2  dropped 1  retries 2",
        "queued 100  in flight 8  hosts 3  memory 80 MB  lag 1 ms",
        "answers within 50 ms (half), 200 ms (90 %), 900 ms (99 %)",
    ]
    assert said(words, "hosts 2") == [
        "site-0.example  queued 3  in flight 0/8  delay 0 s",
        "site-1.example  queued 2  in flight 1/8  delay 0.5 s  pages 3  errors 1  waits: delay (0.2 s)",
        "… and 1 more",
    ]
    assert said(words, "errors")[0].startswith("2 × KeyError in parse  ")
    assert said(words, "errors")[1] == "1 × status 404  https://site-1.example/gone"
    assert said(words, "explain http://x/") == ["http://x/ in job books (running)", "  It was not accepted."]
    assert said(words, "settings") == ["DOWNLOAD_DELAY = 0.5  (settings.py)"]


def test_what_is_not_known_of_workers_is_not_told() -> None:
    made_up = MadeUp(1)
    lines = telling.status(replace(made_up.now(), memory=0))
    assert lines[2] == "queued 100  in flight 8  hosts 1"
    assert telling.hosts(made_up.rows, 1) == ["site-0.example  queued 1  in flight 0/8  delay 0 s"]


def test_a_url_that_the_message_of_an_error_has_is_told_once() -> None:
    kind = ErrorKind(kind="status 404", count=1, message="status 404 of http://x/", url="http://x/", last=0.0)
    assert telling.errors([kind]) == ["1 × status 404  status 404 of http://x/"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("p", ["pause"]),
        ("st", ["status", "stop"]),
        ("set D", ["DOWNLOAD_DELAY"]),
        ("set ", ["DOWNLOAD_DELAY"]),
        ("set USER", []),
        ("delay al", ["all"]),
        ("delay ", ["all", "site-0.example", "site-1.example", "site-2.example"]),
        ("pause  site-1", ["site-1.example"]),
        ("drop a", []),
        ("stop ", []),
        ("nothing x", []),
        ("set DOWNLOAD_DELAY ", []),
        ("set DOWNLOAD_DELAY 1 ", []),
    ],
)
def test_words_hosts_and_settings_are_completed(words: Words, line: str, found: list[str]) -> None:
    assert words.completions(line) == found
