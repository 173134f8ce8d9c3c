"""Texts become typed values, or an error that says what was expected."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import pytest
from msgspec import Meta

from crawler.config.kinds import expectation, type_name
from crawler.config.parse import WrongValue, check, parse_text, shorten
from crawler.config.schema import Positive, Seconds


class Colour(Enum):
    RED = "r"
    BLUE = "b"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("3", int, 3),
        (" -3 ", int, -3),
        ("1_000", int, 1000),
        ("1.5", float, 1.5),
        ("2", float, 2.0),
        ("yes", bool, True),
        ("OFF", bool, False),
        ("0", bool, False),
        ("none", str | None, None),
        ("none", str, "none"),
        ("7", Optional[int], 7),  # noqa: UP045 (both spellings are read)
        ("7", int | str, 7),
        ("x7", int | str, "x7"),
        ("a, b", list[str], ["a", "b"]),
        ("", list[str], []),
        ("1,2", list[int], [1, 2]),
        ("[1, 2]", list[int], [1, 2]),
        ("1,a", tuple[int, str], (1, "a")),
        ('{"a": "b"}', dict[str, str], {"a": "b"}),
        ('{"a": "b"}', list[str] | dict[str, str] | None, {"a": "b"}),
        ("a,b", list[str] | dict[str, str] | None, ["a", "b"]),
        ("debug", Literal["DEBUG", "INFO"], "DEBUG"),
        ("RED", Colour, Colour.RED),
        ("b", Colour, Colour.BLUE),
        ("2026-01-31", datetime.date, datetime.date(2026, 1, 31)),
        ("2026-01-31T12:30", datetime.datetime, datetime.datetime(2026, 1, 31, 12, 30)),
        ("x/y", Path, Path("x/y")),
        ("1.10", Decimal, Decimal("1.10")),
        ("twisted", Any, "twisted"),
        ("none", Any, None),
        ("5", Any, 5),
        ('["a"]', Any, ["a"]),
    ],
)
def test_a_text_becomes_a_value(text: str, kind: Any, value: Any) -> None:
    parsed = parse_text(text, kind)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("x", int, 'expected a whole number, got "x"'),
        ("1.5", int, 'expected a whole number, got "1.5"'),
        ("0", Positive, 'expected a whole number, 1 or more, got "0"'),
        ("-1", Seconds, 'expected a number, 0 or more, got "-1"'),
        ("5", Annotated[int, Meta(ge=1, le=3)], 'expected a whole number from 1 to 3, got "5"'),
        ("ok", bool, 'expected true or false, got "ok"'),
        ("1,x", list[int], 'expected a list of whole numbers, got "1,x"'),
        ('["a"]', dict[str, str], "expected a JSON object of texts, got"),
        ('{"a": 1}', dict[str, str], "expected a JSON object of texts, got"),
        ('{"a": [1]}', dict[str, str | None], "expected a JSON object of texts or none, got"),
        ('["a"]', dict[str, Any], "expected a JSON object, got"),
        ("DEBG", Literal["DEBUG", "INFO"], 'expected one of DEBUG, INFO, got "DEBG"; did you mean "DEBUG"?'),
        ("rad", Colour, 'expected one of RED, BLUE, got "rad"; did you mean "RED"?'),
        ("31.1.2026", datetime.date, "expected a date like 2026-01-31"),
        ("x", int | None, 'expected a whole number or none, got "x"'),
        ("[1", list[int], "expected a list of whole numbers"),
        ("٣", int, "expected a whole number"),
    ],
)
def test_what_does_not_convert_is_named_with_what_would(text: str, kind: Any, message: str) -> None:
    with pytest.raises(WrongValue) as caught:
        parse_text(text, kind)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["inf", "-inf", "nan", "1e999"])
@pytest.mark.parametrize("kind", [float, Seconds, float | None, list[float]])
def test_numbers_are_finite(text: str, kind: Any) -> None:
    with pytest.raises(WrongValue):
        parse_text(text, kind)


@pytest.mark.parametrize("value", [math.inf, math.nan, [math.nan], {"a": [math.inf]}, Decimal("NaN")])
def test_python_values_are_finite_too(value: Any) -> None:
    with pytest.raises(WrongValue):
        check(value, Any)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (1, float, 1.0),
        ((1, 2), list[int], [1, 2]),
        (Path("a"), str, "a"),
        (Path("a"), str | None, "a"),
        ("a", Path, Path("a")),
        ({Path("a"): {}}, dict[str, dict[str, Any]], {"a": {}}),
        (Colour.RED, Colour | None, Colour.RED),
    ],
)
def test_a_python_value_takes_the_type_s_form(value: Any, kind: Any, expected: Any) -> None:
    assert check(value, kind) == expected


@pytest.mark.parametrize(
    ("value", "kind"), [(True, int), (2, bool), ("maybe", bool), ("1", int), (1.0, int), (None, int), ("x", Colour)]
)
def test_a_python_value_of_another_type_is_refused(value: Any, kind: Any) -> None:
    with pytest.raises(WrongValue):
        check(value, kind)


def test_long_and_unprintable_values_are_shortened() -> None:
    assert shorten("a\x1b[31m\n") == r"'a\x1b[31m\n'"
    assert len(shorten("x" * 500)) == 60


def test_types_have_names_for_people_and_for_tables() -> None:
    kind = list[str] | dict[str, int] | None
    assert expectation(kind) == "a list of texts or a JSON object of whole numbers or none"
    assert type_name(kind) == "list[str] | dict[str, int] | None"
    assert type_name(Literal["a", 1]) == '"a" | 1'
    assert expectation(list[Literal["a", "b"]]) == "a list of words among a, b"


@pytest.mark.parametrize(("value", "truth"), [(1, True), (0, False), ("true", True), ("False", False), ("off", False)])
def test_the_words_for_a_truth_value_are_one_everywhere(value: Any, truth: bool) -> None:
    assert check(value, bool) is truth
    assert check(value, bool | None) is truth
    assert check({"a": 1}, dict[str, Any]) == {"a": 1}
