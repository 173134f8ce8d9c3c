"""What is typed in a console, and what is shown of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from crawler.console.session import Session
from tests.observe.board.made_up import MadeUp
from tests.steering.controls import Remembered

Typed = Callable[[str], list[str]]


class Typist:
    """A session, and what it has written."""

    def __init__(self, names: dict[str, Any] | None) -> None:
        self.control = Remembered()
        self.lines: list[str] = []
        self.results: list[bool] = []
        self.session = Session(MadeUp(), self.control, who="attach alice", names=names, drive=Deferred.fromCoroutine)
        self.session.screen = self

    def say(self, line: str, *, wrong: bool = False) -> None:
        self.lines.append(line)

    def holding(self) -> AbstractContextManager[None]:
        return nullcontext()

    def ready(self, *, well: bool) -> None:
        self.results.append(well)

    def types(self, *lines: str) -> list[str]:
        """Type lines; return what was written since."""
        for line in lines:
            self.session.take(line)
        written = self.lines.copy()
        self.lines.clear()
        return written


@pytest.fixture
def typist() -> Typist:
    return Typist({"spider": "the spider"})


def test_words_act_in_the_name_of_whoever_typed_them(typist: Typist) -> None:
    assert typist.session.prompt == "crawler> "
    assert typist.types("pause example.com") == ["did pause example.com attach alice"]
    assert typist.results == [True]


def test_a_word_that_is_none_is_said_and_the_console_goes_on(typist: Typist) -> None:
    assert typist.types("pasue") == ['there is no "pasue" here; did you mean "pause"?; `help` lists what there is']
    assert typist.types("stop") == ["did stop attach alice"]
    assert typist.results == [False, True]


def test_what_pages_and_errors_say_cannot_move_the_cursor(typist: Typist) -> None:
    assert not any("\x1b" in line or "\u202e" in line for line in typist.types("errors"))
    assert typist.types("python print('a\\x1b[2J')") == ["a\\x1b[2J"]


def test_help_tells_of_the_consoles_own_words_too(typist: Typist) -> None:
    lines = typist.types("help")
    assert [line.split()[0] for line in lines][-3:] == ["help", "python", "exit"]
    assert len({re.search(r"  +(?=\S+ )", line).end() for line in lines}) == 1  # type: ignore[union-attr]


def test_python_knows_the_crawl_by_name(typist: Typist) -> None:
    assert typist.types("python", "spider") == ["'the spider'"]
    assert typist.session.prompt == ">>> "
    assert typist.types("hosts['site-1.example'].queued, len(hosts), list(hosts)[0]") == ["(2, 3, 'site-0.example')"]
    assert typist.types("crawl.now().job.state") == ["'running'"]
    assert typist.types("control.pause(None)") == ["'did pause None attach alice'"]
    assert typist.types("_[:3]") == ["'did'"]


def test_code_of_several_lines_is_run_when_it_ends(typist: Typist) -> None:
    assert typist.types("python", "for n in range(2):", "    n") == []
    assert typist.session.prompt == "... "
    assert typist.types("") == ["0", "1"]
    assert typist.session.prompt == ">>> "


def test_an_error_of_theirs_is_shown_from_their_line_on(typist: Typist) -> None:
    typist.types("python", "def f(): return 1 / 0", "")
    assert typist.types("f()") == [
        "Traceback (most recent call last):",
        '  File "console", line 1, in <module>',
        '  File "console", line 1, in f',
        "ZeroDivisionError: division by zero",
    ]
    assert typist.types("1 +")[-1] == "SyntaxError: invalid syntax"
    assert typist.types("raise KeyboardInterrupt")[-1] == "KeyboardInterrupt"
    assert typist.types("2") == ["2"]


def test_what_an_expression_waits_for_is_waited_for_and_shown() -> None:
    answers: dict[str, Deferred[str]] = {"a": Deferred(), "b": Deferred()}
    typist = Typist(dict(answers))
    assert typist.types("python", "a") == []
    answers["a"].callback("page")
    assert typist.types() == ["'page'"]
    assert typist.types("print(len(await b))") == []
    answers["b"].callback("page")
    assert typist.types() == ["4"]


def test_lines_that_wait_are_done_in_their_order() -> None:
    first: Deferred[str] = Deferred()
    typist = Typist({"first": first})
    assert typist.types("python await first", "resume", "python", "1 + 1") == []
    first.callback("done")
    assert typist.types() == ["'done'", "did resume None attach alice", "2"]


def test_waiting_is_ended_by_an_interrupt() -> None:
    never: Deferred[str] = Deferred()
    typist = Typist({"never": never})
    typist.types("python", "await never")
    typist.session.interrupt()
    assert typist.types() == ["interrupted"]
    assert typist.types("1") == ["1"]


def test_what_a_callback_prints_later_comes_to_the_console_and_not_to_stdout(
    capsys: pytest.CaptureFixture[str],
) -> None:
    later: Deferred[str] = Deferred()
    typist = Typist({"later": later})
    typist.types("python", "_ = later.addCallback(print)")
    later.callback("here")
    assert typist.types() == ["here"]
    assert capsys.readouterr() == ("", "")


def test_one_line_of_python_leaves_the_prompt_of_words(typist: Typist) -> None:
    assert typist.types("python len(hosts)") == ["3"]
    assert typist.types("python for n in range(2): n") == ["0", "1"]
    assert typist.types("python (1,") == ["that line is not all of it: `python` alone is a prompt for several lines"]
    assert typist.session.prompt == "crawler> "
    assert typist.types("python 1") == ["1"]


@pytest.mark.parametrize("left", ["exit()", "raise SystemExit"])
def test_exit_leaves_python_and_not_the_crawl(typist: Typist, left: str) -> None:
    typist.types("python", left)
    assert typist.session.prompt == "crawler> "
    assert not typist.session.ended
    typist.types("exit")
    assert typist.session.ended
    assert typist.results == [True, True, True]


def test_where_workers_crawl_there_is_no_python() -> None:
    typist = Typist(None)
    assert typist.types("python") == ["there is no Python here: the crawl runs in other processes, its workers"]
    assert typist.results == [False]


def test_too_much_that_is_printed_is_cut(typist: Typist) -> None:
    printed = typist.types("python for n in range(60_000): print('12345678')")
    assert len(printed) < 60_000
    assert printed[-1] == "… cut: this printed more than 500,000 characters, or many lines"
    assert typist.types("python 1") == ["1"]


@pytest.mark.parametrize("code", ["[1] * 10_000_000", "print('x' * 5_000_000)", "print('\\n' * 1_000_000)"])
def test_too_much_is_cut_also_of_one_value_or_of_lines_of_nothing(typist: Typist, code: str) -> None:
    *printed, last = typist.types(f"python {code}")
    assert last.startswith("… cut")
    assert sum(len(line) + 10 for line in printed) <= 500_010
    assert sum(len(line) + 10 for line in printed) > 499_000


@pytest.mark.parametrize(
    ("before", "line", "found"),
    [
        ([], "p", (0, ["pause", "python"])),
        ([], "drop site-0", (5, ["site-0.example"])),
        (["python"], "print(spi", (6, ["spider"])),
        (["python"], "x = control.pau", (4, ["control.pause("])),
        (["python"], "", (0, [])),
        (["python"], "'", (1, [])),
    ],
)
def test_what_is_typed_is_completed(typist: Typist, before: list[str], line: str, found: object) -> None:
    typist.types(*before)
    assert typist.session.complete(line) == found
