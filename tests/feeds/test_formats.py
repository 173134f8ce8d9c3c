"""Does each format hold any item, of any kind, and stay valid?"""

from __future__ import annotations

import dataclasses
import enum
import json
import logging
import math
import random
import uuid
from collections import Counter, deque
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pydantic
import pytest
from itemadapter.adapter import ItemAdapter
from lxml import etree

from crawler.feeds import Format, formats
from tests.feeds.readers import FORMATS, content, read
from tests.feeds.worlds import feed_for, write_all


class Colour(enum.Enum):
    RED = "red"


class Text(str):
    __slots__ = ()


class Odd:
    def __str__(self) -> str:
        raise ValueError


def cycle() -> dict[str, Any]:
    item: dict[str, Any] = {}
    item["self"] = item
    return item


def deep() -> list[Any]:
    value: list[Any] = []
    for _ in range(3000):
        value = [value]
    return value


# value, as JSON, as CSV cell
VALUES: list[tuple[Any, Any, str]] = [
    ("plain", "plain", "plain"),
    (Text("sub"), "sub", "sub"),
    (None, None, ""),
    (True, True, "True"),
    (1.5, 1.5, "1.5"),
    (math.nan, None, "nan"),
    (-math.inf, None, "-inf"),
    (2**70, 2**70, str(2**70)),
    (-(2**70), -(2**70), str(-(2**70))),
    (b"\xff\x00", "/wA=", "/wA="),
    (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
    (date(2026, 1, 2), "2026-01-02", "2026-01-02"),
    (timedelta(days=1, seconds=2), "P1DT2S", "P1DT2S"),
    (Decimal("1.10"), "1.10", "1.10"),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000001"),
    (Path("a/b"), "a/b", "a/b"),
    (Colour.RED, "red", "red"),
    ({"x"}, ["x"], "x"),
    (("x", 2, None), ["x", 2, None], "x,2,"),
    (range(2), [0, 1], "[0,1]"),
    ([{"k": 1}], [{"k": 1}], '[{"k":1}]'),
    ({5: "a", None: "b", True: "c", (1, 2): "d"}, None, ""),
    ("\ud800x\udfff", "\ufffdx\ufffd", "\ufffdx\ufffd"),
    (["\ud800"], ["\ufffd"], "\ufffd"),
    ("a\u2028b\u2029c\x85d\x00e\x1ff\n\r\tg", "a\u2028b\u2029c\x85d\x00e\x1ff\n\r\tg", ""),
    (object, "<class 'object'>", "<class 'object'>"),
    (Odd(), "<Odd>", "<Odd>"),
    ((x for x in "ab"), None, ""),
]


@pytest.mark.parametrize("number", range(len(VALUES)))
def test_each_value_has_its_form_in_json(tmp_path: Path, number: int) -> None:
    value, wanted, _ = VALUES[number]
    path = tmp_path / "items.jl"
    write_all(path, [{"v": value}, {"v": 2}])
    lines = content(path).decode().splitlines()
    assert len(lines) == 2
    assert wanted is None or json.loads(lines[0]) == {"v": wanted}
    msgspec.json.decode(content(path).splitlines()[0])


@pytest.mark.parametrize("number", range(len(VALUES)))
def test_each_value_has_its_form_in_csv_and_xml(tmp_path: Path, number: int) -> None:
    value, _, cell = VALUES[number]
    write_all(tmp_path / "items.csv", [{"v": value, "w": "1"}])
    write_all(tmp_path / "items.xml", [{"v": value, "w": "1"}, {"w": "2"}])
    row = read(tmp_path / "items.csv")[0]
    assert row["w"] == "1"
    assert not cell or row["v"] == cell
    assert [item["w"] for item in read(tmp_path / "items.xml")] == ["1", "2"]


def test_each_format_of_the_product_has_one_reader_in_the_tests() -> None:
    product = formats.FORMATS
    whole = {product["parquet"]}  # which is read by test_parquet.py: nothing is appended to it
    assert Counter(product[name] for name in FORMATS) == Counter(set(product.values()) - whole)


def test_keys_that_are_no_text(tmp_path: Path) -> None:
    item = {5: "a", None: "b", True: "c", "\ud800": "d"}
    for form in FORMATS:
        write_all(tmp_path / f"items.{form}", [{2: "x"}, item])
        assert len(read(tmp_path / f"items.{form}")) == 2


@pytest.mark.parametrize("form", FORMATS)
def test_cycles_and_abysses_are_written_all_the_same(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"items.{form}"
    write_all(path, [cycle(), {"d": deep()}, {"a": 1}])
    assert len(read(path)) == 3


@pytest.mark.parametrize("form", FORMATS)
def test_an_integer_of_any_size_is_written_in_digits(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"items.{form}"
    write_all(path, [{"n": 10**6000 + 7, "list": [-(10**6000), 1]}])
    text = content(path).decode()
    assert "1" + "0" * 5999 + "7" in text
    assert "-1" + "0" * 6000 in text


class Number(enum.Enum):
    ONE = 1


def test_enums_byte_arrays_and_deques_are_no_odd_types(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    both = {"in": [Colour.RED, bytearray(b"ab")], "out": Number.ONE, "b": bytearray(b"ab"), "q": deque([1, Number.ONE])}
    for form in FORMATS:
        write_all(tmp_path / f"items.{form}", [both])
    assert read(tmp_path / "items.jl") == [{"in": ["red", "YWI="], "out": 1, "b": "YWI=", "q": [1, 1]}]
    assert read(tmp_path / "items.csv") == [{"in": "red,YWI=", "out": "1", "b": "YWI=", "q": "1,1"}]
    assert (
        "<in><value>red</value><value>YWI=</value></in><out>1</out><b>YWI=</b><q><value>1</value><value>1</value></q>"
    ) in content(tmp_path / "items.xml").decode()
    assert not caplog.records


def test_an_odd_type_is_warned_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Selector:
        pass

    with caplog.at_level(logging.WARNING):
        write_all(tmp_path / "items.jl", [{"a": Selector()}, {"a": Selector()}])
    assert [record.getMessage() for record in caplog.records] == [
        f"Values of type {__name__}.Selector are written as text; was a .get() forgotten?"
    ]


@dataclasses.dataclass
class AsDataclass:
    a: int
    b: str = dataclasses.field(default="x", metadata={"serializer": str.upper})


@attrs.define
class AsAttrs:
    a: int
    b: str = attrs.field(default="x", metadata={"serializer": str.upper})


class AsPydantic(pydantic.BaseModel):
    a: int
    b: str = pydantic.Field(default="x", json_schema_extra={"serializer": None})


class AsStruct(msgspec.Struct, rename={"b": "B"}, tag="kind"):
    a: int
    b: str = "x"
    c: int | msgspec.UnsetType = msgspec.UNSET


@pytest.mark.parametrize("form", FORMATS)
def test_item_kinds(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"items.{form}"
    write_all(path, [{"a": 1, "b": "x"}, AsDataclass(1), AsAttrs(1), AsPydantic(a=1), AsStruct(1)])
    items = [{name: str(value) for name, value in item.items() if value} for item in read(path)]
    assert items[:4] == [{"a": "1", "b": text} for text in "xXXx"]
    assert items[4] == {"type": "kind", "a": "1", "B": "x"}
    write_all(path, [{"in": [AsDataclass(1), AsAttrs(2), AsPydantic(a=3), AsStruct(4)]}], {"overwrite": True})
    assert "B" in content(path).decode()
    assert ItemAdapter.is_item(AsAttrs(1))


@pytest.mark.parametrize("form", FORMATS)
def test_fields_choose_order_and_rename(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"items.{form}"
    write_all(path, [{"a": "1", "b": "2", "c": "3"}], {"fields": {"c": "see", "a": "A"}})
    assert [list(item.items()) for item in read(path)] == [[("see", "3"), ("A", "1")]]
    write_all(path, [{"a": "1", "b": "2", "c": "3"}], {"fields": ["b"], "overwrite": True})
    assert read(path) == [{"b": "2"}]


def test_fields_by_setting(tmp_path: Path) -> None:
    write_all(tmp_path / "x.csv", [{"a": 1, "b": 2}], FEED_EXPORT_FIELDS=["b", "z"])
    assert read(tmp_path / "x.csv") == [{"b": "2", "z": ""}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "ascii", "cp1252"])
@pytest.mark.parametrize("form", FORMATS)
def test_encodings(tmp_path: Path, form: str, encoding: str) -> None:
    path = tmp_path / f"items.{form}"
    for number in range(2):
        write_all(path, [{"a": f"é{number}€😀"}], {"encoding": encoding})
    items = [item["a"] for item in read(path, encoding)]
    if form == "csv":  # it has no way to write what the encoding lacks
        assert [text.startswith(f"é{number}") for number, text in enumerate(items)] == [encoding != "ascii"] * 2
    else:
        assert items == ["é0€😀", "é1€😀"]


def test_indent(tmp_path: Path) -> None:
    write_all(tmp_path / "x.json", [{"a": [1]}], {"indent": 2})
    assert content(tmp_path / "x.json").decode() == '[\n  {\n    "a": [\n      1\n    ]\n  }\n]\n'
    write_all(tmp_path / "x.xml", [{"a": ["1"]}], {"indent": 2})
    assert content(tmp_path / "x.xml").decode() == (
        '<?xml version="1.0" encoding="utf-8"?>\n<items>\n  <item>\n    <a>\n      <value>1</value>\n    </a>\n'
        "  </item>\n</items>\n"
    )


def test_json_without_indent_is_an_item_a_line(tmp_path: Path) -> None:
    write_all(tmp_path / "x.json", [{"a": 1}, {"a": 2}])
    assert content(tmp_path / "x.json") == b'[\n{"a":1},\n{"a":2}\n]\n'


@pytest.mark.parametrize("old", ["[]", "[\n]\n", " [ ] ", '[{"a":0}]', '[{"a":0}\n]\n\n'])
def test_a_json_array_stays_one(tmp_path: Path, old: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(old)
    write_all(path, [{"a": 1}])
    assert read(path) == [*json.loads(old), {"a": 1}]


@pytest.mark.parametrize("text", ["<items></items>", "<items>\n<item><a>0</a></item></items>\n\n"])
def test_an_xml_document_stays_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.xml"
    path.write_text(text)
    write_all(path, [{"a": 1}])
    assert read(path)[-1] == {"a": "1"}


def test_an_old_last_line_without_end_gets_one(tmp_path: Path) -> None:
    (tmp_path / "x.jl").write_text('{"a":0}')
    (tmp_path / "x.csv").write_text("a\n0")
    for name in ("x.jl", "x.csv"):
        write_all(tmp_path / name, [{"a": 1}])
        assert [str(item["a"]) for item in read(tmp_path / name)] == ["0", "1"]


def test_an_old_csv_header_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b'"b, c";a\n"x\n;""y";0\n\n\xff;1\n')
    write_all(path, [{"a": 2, "z": 3}], {"item_export_kwargs": {"delimiter": ";"}})
    assert path.read_bytes() == b'b, c;a;z\r\n"x\n;""y";0;\n\n\xff;1;\n;2;3\r\n'


def test_csv_items_without_a_field(tmp_path: Path) -> None:
    write_all(tmp_path / "x.csv", [{}, {}, {"a": "1", "b": "2"}, {}])
    assert read(tmp_path / "x.csv") == [{"a": "", "b": ""}] * 2 + [{"a": "1", "b": "2"}, {"a": "", "b": ""}]


def test_late_columns_of_a_large_csv(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    items = [{"n": number, "text": f'a"b\r\n{number},'} for number in range(20_000)]
    feed = feed_for(path)
    feed.open(None, durable=False)
    feed.write(items, 1)
    feed.write([{"late": "x"}], 2)
    feed.close(finished=True)
    rows = read(path)
    assert len(rows) == 20_001
    assert rows[19_999] == {"n": "19999", "text": 'a"b\r\n19999,', "late": ""}
    assert rows[-1] == {"n": "", "text": "", "late": "x"}


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_formulas_are_escaped_when_asked(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "x.csv"
    write_all(path, [{"=a": cell, "b": -5, "c": [cell]}], CSV_ESCAPE_FORMULAS=True)
    assert read(path) == [{"'=a": "'" + cell, "b": "-5", "c": "'" + cell}]
    write_all(path, [{"=a": cell}], CSV_ESCAPE_FORMULAS=True)
    assert list(read(path)[1]) == ["'=a", "b", "c"]
    write_all(path, [{"a": cell}], {"overwrite": True})
    assert read(path) == [{"a": cell}]


def test_xml_is_well_formed_whatever_comes(tmp_path: Path) -> None:
    names = ["1st", "a b", "a:b", "", "é", "<&\"'>", "\x00", "\ud800", "xml", "-", "a\nb", "名"]
    item = dict.fromkeys(names, '\x00\x0b�\ufffe<&>"]]>\r\n')
    for encoding in ("utf-8", "latin-1", "utf-16"):
        path = tmp_path / f"{encoding}.xml"
        write_all(path, [item, {"n": {"1": [item, None]}}], {"encoding": encoding})
        root = etree.fromstring(path.read_bytes())
        assert root[0][0].tag == "_1st"
        assert root[0][0].get("name") == "1st"
        assert root[0][0].text == '\ufffd\ufffd\ufffd\ufffd<&>"]]>\r\n'
        assert [child.get("name", child.tag) for child in root[0]][4 if encoding != "latin-1" else 8] in {"é", "xml"}
        assert len(root[0]) == len(names)


def test_random_text_comes_back(tmp_path: Path) -> None:
    chance = random.Random(5)
    alphabet = [chr(code) for code in (*range(0x20, 0x7F), 9, 10, 13, 0x85, 0xA0, 0xE9, 0x2028, 0x1F600, 0xFFFD)]
    items = [{"n": str(n), "t": "".join(chance.choices(alphabet, k=chance.randrange(40)))} for n in range(300)]
    for form in FORMATS:
        write_all(tmp_path / f"x.{form}", items)
        assert read(tmp_path / f"x.{form}") == items


class Shouted(Format):
    def encode(self, items: Any) -> bytes:
        return "".join(f"{item}!\n" for item in items).encode(self.codec)


def test_a_format_of_ones_own(tmp_path: Path) -> None:
    for value in (Shouted, f"{__name__}.Shouted"):
        write_all(tmp_path / "x.shout", [{"a": 1}], FEED_FORMATS={"shout": value})
    assert content(tmp_path / "x.shout") == b"{'a': 1}!\n" * 2
