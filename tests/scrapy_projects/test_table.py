"""Is every part of Scrapy that its documentation names used by a project?"""

from __future__ import annotations

import pytest

from tests.scrapy_projects.projects import PROJECTS
from tests.scrapy_projects.table import DOCUMENTED, FILE, lines, settings, sources, users


def test_every_documented_module_is_used_by_a_project() -> None:
    code = sources()
    assert [name for name in DOCUMENTED if not users(f"scrapy.{name}", code)] == []


def test_every_setting_is_set_by_a_project() -> None:
    code = sources()
    assert [name for name in settings() if not users(name, code)] == []


def test_every_project_is_run() -> None:
    assert set(sources()) == set(PROJECTS)


@pytest.mark.parametrize(("what", "used"), [("scrapy.item", True), ("scrapy.ite", False), ("BOT_NAM", False)])
def test_a_use_is_one_of_the_whole_name(what: str, used: bool) -> None:
    assert bool(users(what, {"one": "from scrapy import item\nBOT_NAME = 'b'"})) is used


def test_the_table_is_of_today() -> None:
    assert FILE.read_text() == "\n".join(lines()) + "\n", "python -m tests.scrapy_projects.table > its TABLE.md"
