from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from crawler.commands.item_diff import difference, read_items, report
from crawler.errors import UsageError


def test_a_report() -> None:
    old = [{"url": "/1", "price": 1}, {"url": "/2", "price": 2, "colour": "red"}, {"url": "/3", "price": 3}]
    new = [{"url": "/4", "price": 4}, {"price": 1, "url": "/1"}, {"url": "/2", "price": 2.5, "tags": ["a", "ä"]}]
    assert list(report(difference(old, new))) == [
        '~ url "/2"',
        "    price: 2 → 2.5",
        '    colour: "red" → (none)',
        '    tags: (none) → ["a", "ä"]',
        '+ {"price": 4, "url": "/4"}',
        '- {"price": 3, "url": "/3"}',
        "1 changed, 1 added, 1 removed, 1 the same (matched by url)",
    ]


def test_a_field_that_is_null_is_not_one_that_is_missing() -> None:
    lines = list(report(difference([{"id": 1, "a": None}], [{"id": 1}])))
    assert lines[1] == "    a: null → (none)"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ([{"a": 1, "b": 1}, {"a": 1, "b": 2}], [{"a": 1, "b": 1}], "b"),
        ([{"a": 1}, {"a": 1}], [{"a": 1}], None),
        ([{"a": [1]}, {"a": {"b": 2}}], [{"a": None}], None),
        ([], [{"name": 1}], "name"),
        ([], [], None),
        ([{"a": 1, "url": 1}, {"b": 1}], [], None),
    ],
)
def test_the_key_is_found(old: list[dict[str, object]], new: list[dict[str, object]], key: str | None) -> None:
    assert difference(old, new).key == key


def test_without_a_key_equal_items_are_counted() -> None:
    found = difference([{"a": 1}, {"a": 1}, {"a": 2}], [{"a": 1}, {"a": 3}])
    assert (found.same, found.added, found.removed) == (1, [{"a": 3}], [{"a": 1}, {"a": 2}])


def test_a_key_that_names_nothing() -> None:
    with pytest.raises(UsageError, match='the new items cannot be matched by "a"'):
        difference([{"a": 1}], [{"b": 1}], key="a")


def test_what_is_no_file_of_items(tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl"
    with pytest.raises(UsageError, match="No such file"):
        read_items(path)
    path.write_text('{"a": 1}\n\n{"a"\n')
    with pytest.raises(UsageError, match="line 3, is not JSON"):
        read_items(path)
    path.write_text("[1]\n")
    with pytest.raises(UsageError, match="an item is an object, not list"):
        read_items(path)
    packed = tmp_path / "old.jsonl.gz"
    packed.write_bytes(gzip.compress(b'{"a": 1}\n'))
    assert read_items(packed) == [{"a": 1}]
    packed.write_bytes(packed.read_bytes()[:-4])
    with pytest.raises(UsageError, match=r"cannot read .*old\.jsonl\.gz"):
        read_items(packed)
