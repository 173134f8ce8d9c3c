"""Does docs/architecture.md, and does the map in the README, show what is there?"""

from __future__ import annotations

import re
from importlib import import_module

import pytest

from tests.docs.blocks import ROOT
from tests.docs.tables import page

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
JOURNEY = PAGE.partition("## The way of a request")[2].partition("\n## ")[0]
NAMES = re.findall(r"`((?:\w+\.)+\w+)`", JOURNEY)


def test_the_way_of_a_request_is_ten_steps() -> None:
    assert re.findall(r"^(\d+)\. ", JOURNEY, re.MULTILINE) == [str(number) for number in range(1, 11)]
    assert len(NAMES) > 15


@pytest.mark.parametrize("name", NAMES)
def test_each_name_on_the_way_is_there(name: str) -> None:
    parts = name.split(".")
    module = next(at for at in range(len(parts), 0, -1) if _is_module(parts[:at]))
    found = import_module(".".join(["crawler", *parts[:module]]))
    for part in parts[module:]:
        found = getattr(found, part)
    assert callable(found)


def _is_module(parts: list[str]) -> bool:
    path = ROOT.joinpath("crawler", *parts)
    return path.is_dir() or path.with_suffix(".py").exists()


def test_the_tables_of_phases_and_rooms_are_those_that_are_held() -> None:
    assert page() == PAGE, "run: python -m tests.docs.tables"


def test_the_map_in_the_readme_names_every_module_and_room() -> None:
    tree = (ROOT / "README.md").read_text(encoding="utf-8").partition("crawler/      how")[2].partition("```")[0]
    folder = ROOT / "crawler"
    there = {path.name for path in folder.glob("*.py")}
    there |= {f"{path.parent.name}/" for path in folder.glob("*/__init__.py")}
    assert [name for name in sorted(there) if not re.search(rf"(?<!\S){re.escape(name)}(?!\S)", tree)] == []
