import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from crawler.observe.board.short import short_json


@dataclass
class Book:
    title: str
    when: datetime


class Broken:
    def __str__(self) -> str:
        raise SystemExit("no")


@pytest.mark.parametrize(
    ("item", "shown"),
    [
        ({"title": "A", "price": 1.5, "sold": None}, {"title": "A", "price": 1.5, "sold": None}),
        (Book("B", datetime(2026, 1, 2, tzinfo=UTC)), {"title": "B", "when": "2026-01-02 00:00:00+00:00"}),
        ({"body": b"x" * 5000}, {"body": "<5,000 bytes>"}),
        ({"tags": {"a"}, 7: (1, 2)}, {"tags": ["a"], "7": [1, 2]}),
        ({"many": list(range(1000))}, {"many": [*range(20), "…"]}),
        ({"text": "x" * 5000}, {"text": "x" * 200 + "…"}),
        ({"from": "http://u:secret@a.test/"}, {"from": "http://u:***@a.test/"}),
        ({"from": "x" * 190 + "http://user:secret@a.test/" + "y" * 999}, {"from": "x" * 190 + "http://use…"}),
    ],
)
def test_an_item_is_shown_as_short_json_without_passwords(item: Any, shown: Any) -> None:
    assert json.loads(short_json(item)) == shown


def test_an_item_of_any_size_gives_a_line() -> None:
    wide: Any = {f"field {number}": "x" * 300 for number in range(1000)}
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    for item in (wide, deep, {"deep": deep}):
        assert len(short_json(item)) < 1100


def test_an_item_that_cannot_be_shown_is_named() -> None:
    assert short_json({"a": Broken()}) == "<dict: SystemExit>"
