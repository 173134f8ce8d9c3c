"""An error is told with the frames a user can mend."""

from __future__ import annotations

import functools
import json

import pytest

from crawler import Request
from crawler.observe.frames import defined_at, describe, frames_of, shorten


class Mute(Exception):
    def __str__(self) -> str:
        raise AttributeError("no message")


def caught(error: Exception, cause: Exception | None = None) -> Exception:
    try:
        raise error from cause
    except Exception as raised:
        return raised


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    assert shorten("x" * 1000) == "x" * 1000
    assert shorten("<GET " + "x" * 1_000_000 + ">: why", limit=90) == (
        "<GET " + "x" * 55 + "… 999,921 more characters …" + "x" * 24 + ">: why"
    )


def test_an_error_is_described_in_few_words() -> None:
    assert describe(ValueError("no price")) == "ValueError: no price"
    assert describe(KeyboardInterrupt()) == "KeyboardInterrupt"
    assert describe(Mute()) == "Mute: its message cannot be shown (AttributeError)"
    assert len(describe(ValueError("x" * 100_000))) < 1100


def test_of_a_library_only_the_frame_that_raised_is_shown() -> None:
    try:
        json.loads("{")
    except ValueError as error:
        own, raised = frames_of(error)
    assert own.endswith('json.loads("{")')
    assert "decoder.py" in raised


def test_frames_of_ours_are_shown_only_when_asked_for() -> None:
    with pytest.raises(ValueError, match="URL must be str") as info:
        Request(None)  # type: ignore[arg-type]
    (frame,) = frames_of(info.value)
    assert frame.endswith("Request(None)  # type: ignore[arg-type]")
    ours = info.value.with_traceback(info.tb.tb_next)
    assert frames_of(ours, ours=False) == []
    assert frames_of(ours)


def test_a_recursion_is_cut_in_its_middle() -> None:
    def deeper() -> None:
        deeper()

    try:
        deeper()
    except RecursionError as error:
        frames = frames_of(error)
    assert len(frames) == 13
    assert frames[6].endswith("more …")


def test_the_errors_behind_an_error_are_told() -> None:
    frames = frames_of(caught(ValueError("no price"), caught(KeyError("price"))))
    raised = frames[0]
    assert raised.endswith(": raise error from cause")
    assert frames == [raised, "from KeyError: 'price'", raised]


def test_a_function_is_found_behind_its_decorators() -> None:
    @functools.cache
    def parse(response: object) -> None:
        """Do nothing."""

    (frame,) = defined_at(parse)
    assert frame.endswith("in parse: def parse(response: object) -> None:")
    assert defined_at(json) == defined_at(None) == defined_at(len) == []


def test_an_error_whose_message_leaves_the_process_is_told_by_its_name() -> None:
    class Unsaid(Exception):
        def __str__(self) -> str:
            raise SystemExit(5)

    assert describe(Unsaid()) == "Unsaid: its message cannot be shown (SystemExit)"
