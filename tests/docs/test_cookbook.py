"""Does every recipe of docs/cookbook/ work as it stands there?

A recipe is a page that is typed from top to bottom (``tests/docs/typed.py``) against a site on loopback: the sample
bookshop, or what ``answer`` of ``tests/docs/sites/NAME.py`` says. That may have ``SLOW``, ``NEEDS`` (programs) and
``replaced``, what stands for which of the page's addresses. One that needs a server of its own is typed by a module
``tests/docs/test_cookbook_NAME.py``.
"""

from __future__ import annotations

import re
import shutil
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.docs.blocks import ROOT
from tests.docs.served import Page, sample, served
from tests.docs.typed import is_typed, matches, type_page

FOLDER = ROOT / "docs" / "cookbook"
HERE = Path(__file__).parent
RECIPES = [path for path in sorted(FOLDER.glob("*.md")) if path.name != "README.md"]
OWN = {path for path in RECIPES if (HERE / f"test_cookbook_{path.stem}.py").exists()}


def site_of(recipe: Path) -> ModuleType | None:
    """Return the module that says what the recipe's site is; the sample bookshop has none."""
    there = (HERE / "sites" / f"{recipe.stem}.py").exists()
    return import_module(f"tests.docs.sites.{recipe.stem}") if there else None


def typed() -> list[Any]:
    """Return the recipes that are typed here, the heavy ones marked."""
    marked: list[Any] = []
    for recipe in RECIPES:
        if recipe not in OWN:
            marks = [pytest.mark.slow] if getattr(site_of(recipe), "SLOW", False) else []
            marked.append(pytest.param(recipe, id=recipe.stem, marks=marks))
    return marked


@pytest.mark.process
@pytest.mark.parametrize("recipe", typed())
def test_the_recipe_does_what_it_says(recipe: Path, tmp_path: Path) -> None:
    module = site_of(recipe)
    for program in getattr(module, "NEEDS", ()):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    answer: Page | None = getattr(module, "answer", None)
    with served(answer or sample) as url:
        replaced = {"http://shop.example": url, "shop.example": "127.0.0.1"}
        if answer is None:
            replaced = {"http://127.0.0.1:8000": url}
        elif hasattr(module, "replaced"):
            replaced = module.replaced(url)
        type_page(f"docs/cookbook/{recipe.name}", tmp_path, replaced=replaced)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_the_recipe_has_something_to_type_and_is_short(recipe: Path) -> None:
    assert is_typed(recipe) or recipe in OWN
    assert len(recipe.read_text(encoding="utf-8").splitlines()) <= 120


def test_the_index_lists_every_recipe_once() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^- \[[^\]]+\]\((\w+\.md)\)", index, re.MULTILINE)) == [path.name for path in RECIPES]
    assert len(RECIPES) == 20  # as the index and the README say


@pytest.mark.parametrize(
    ("expected", "output", "same"),
    [
        ("one\n", "one\n", True),
        ("one\n", "one\ntwo\n", False),
        ("one … three\n", "one two three\n", True),
        ("one\n…\nfour\n", "one\ntwo\nthree\nfour\n", True),
        ("one\n…\nfour\n", "one\nfour\n", True),
        ("one\n…\nfour\n", "one\ntwo\n", False),
        ("one\n…\n", "one\ntwo\nthree\n", True),
        ("…\nthree\n", "one\ntwo\nthree\n", True),
        ("a.c\n", "abc\n", False),
    ],
)
def test_what_a_page_shows_is_compared(expected: str, output: str, same: bool) -> None:
    assert matches(expected, output) is same
