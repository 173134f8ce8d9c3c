"""Do the tables of docs/reference/ have all there is, and nothing else?"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import crawler
from crawler.assembly.rules import READ
from crawler.download import rules
from crawler.events import Event
from crawler.model.fields import Options
from crawler.policy import redirect
from tests.docs.blocks import ROOT

FOLDER = ROOT / "docs" / "reference"
# Without the dialect: its words are in Scrapy's documentation.
TREES = {
    path: ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "crawler").rglob("*.py"))
    if ROOT / "crawler" / "scrapy" not in path.parents
}
STATS = ROOT / "crawler" / "observe" / "stats.py"
# Keys that are no constants where they are used.
BY_NAME = {"CUT": rules.CUT, "METHOD_KEY": redirect.METHOD_KEY}
OTHER_METAS = {"content", "name", "serializer", "type"}  # attributes of <meta>, and what fields of items have
SETTERS = {"inc_value", "set_value", "max_value", "min_value"}


def rows(page: str, heading: str = "") -> list[list[str]]:
    """Return the cells of the tables below a heading of a page, or of all."""
    text = (FOLDER / f"{page}.md").read_text(encoding="utf-8")
    if heading:
        text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [
        [cell.strip() for cell in row.strip("|").split(" | ")] for row in re.findall(r"^\| `.*", text, re.MULTILINE)
    ]


def names(page: str, *headings: str) -> list[str]:
    """Return what the first cells name."""
    cells = [row[0].strip("| ") for heading in headings or ("",) for row in rows(page, heading)]
    return [name for cell in cells for name in re.findall(r"`(?:Request\.)?([^`(]+)[^`]*`", cell)]


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def test_every_argument_of_a_request() -> None:
    parameters = {
        name: parameter.default
        for name, parameter in inspect.signature(crawler.Request).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
    assert names("request", "Arguments") == [*parameters, *Options.__annotations__]
    said = {row[0].strip("| `"): row[1].strip("`") for row in rows("request", "Arguments")}
    shown = {name: "–" if default is inspect.Parameter.empty else repr(default) for name, default in parameters.items()}
    assert said == shown | dict.fromkeys(Options.__annotations__, "–")


@pytest.mark.parametrize("kind", [crawler.Request, crawler.Response])
def test_every_attribute_and_method(kind: type) -> None:
    said = names(kind.__name__.lower(), "Attributes", "Methods")
    assert set(said) == public(kind)
    assert len(said) == len(set(said))


def test_every_argument_of_a_response_is_an_attribute() -> None:
    assert set(inspect.signature(crawler.Response).parameters) <= public(crawler.Response)


def test_every_event_with_its_fields() -> None:
    said = {row[0].strip("| `"): re.findall(r"`(\w+)`", row[1]) for row in rows("events")}
    assert said == {kind.__name__: list(kind.__struct_fields__) for kind in Event.__subclasses__()}


def keys_of_meta() -> Iterator[str]:
    """Yield the keys that are looked up in something that is called meta."""
    for node in (node for tree in TREES.values() for node in ast.walk(tree)):
        key: ast.expr | None = None
        if isinstance(node, ast.Subscript) and _is_meta(node.value):
            key = node.slice
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            if node.func.attr in {"get", "pop", "setdefault"} and _is_meta(node.func.value):
                key = node.args[0]
        elif isinstance(node, ast.Compare) and _is_meta(node.comparators[0]):
            key = node.left
        if isinstance(key, ast.Constant):
            yield str(key.value)
        elif isinstance(key, ast.Name) and key.id in BY_NAME:
            yield BY_NAME[key.id]


def _is_meta(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name in {"meta", "_meta"}


def test_every_key_of_meta() -> None:
    there = {*keys_of_meta(), *READ} - OTHER_METAS
    assert len(there) > 30
    assert sorted(names("meta")) == sorted(there)


def stat_keys() -> Iterator[str]:
    """Yield the keys that the stats are given; what is filled in is ``…``."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if path == STATS and isinstance(node, ast.Constant | ast.JoinedStr):
                yield from _keys(node)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SETTERS:
                yield from _keys(node.args[0])


def _keys(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    else:
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    if re.fullmatch(r"[a-z_…]+/[\w/…]+|[a-z_…]+_(count|max|time|reason|seconds)", text):
        yield text


def test_every_key_of_the_stats() -> None:
    there = {key for key in stat_keys() if not key.endswith("/") and not key.startswith("_")}
    assert len(there) > 40
    assert sorted(re.sub(r"[A-Z]+", "…", name) for name in names("stats")) == sorted(there)


def test_the_pages_of_the_reference_are_listed() -> None:
    index = Path(FOLDER / "README.md").read_text(encoding="utf-8")
    pages: list[Any] = [path.name for path in FOLDER.glob("*.md") if path.name != "README.md"]
    assert [page for page in pages if f"]({page})" not in index] == []
