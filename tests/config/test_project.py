"""The project is found, its spiders too, and a file that does not import is told in the user's frames."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from crawler.config.project import Project, find_project, pick, spider_in_file, spiders_in
from crawler.config.settings import Settings
from crawler.errors import SettingError, SpiderImportError, SpiderNotFound, UsageError
from crawler.spider import Spider

SPIDER = "from crawler import Spider\n\nclass {0}(Spider):\n    name = '{1}'\n    MODE: str = 'fast'\n"


@pytest.fixture(autouse=True)
def _own_modules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Leave sys.path and the modules of the project as they were, for each test has a project of its own."""
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if _of_a_project(name)}
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    yield
    for name in [name for name in sys.modules if _of_a_project(name) or name in ("one", "two")]:
        del sys.modules[name]
    sys.modules.update(before)


def _of_a_project(name: str) -> bool:
    return name.partition(".")[0] in ("settings", "spiders", "pipelines")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "spiders" / "deep").mkdir(parents=True)
    (tmp_path / "settings.py").write_text("DOWNLOAD_DELAY = 2\n")
    for folder in ("spiders", "spiders/deep"):
        (tmp_path / folder / "__init__.py").touch()
    (tmp_path / "spiders" / "books.py").write_text(SPIDER.format("Books", "books"))
    (tmp_path / "spiders" / "deep" / "quotes.py").write_text(SPIDER.format("Quotes", "quotes"))
    return tmp_path


def test_the_nearest_folder_upwards_is_the_project(root: Path) -> None:
    assert find_project(root / "spiders" / "deep") == root
    assert find_project(root.parent) is None


def test_spiders_are_found_in_packages_and_in_their_packages(root: Path) -> None:
    project = Project(root)
    found = project.spiders(Spider)
    assert list(found.spiders) == ["books", "quotes"]
    assert found.broken == {}
    assert sys.path[0] == str(root)
    assert Settings.load(project.settings).core.DOWNLOAD_DELAY == 2


def test_spider_modules_may_be_told(root: Path) -> None:
    project = Project(root)
    assert list(project.spiders(Spider, modules="spiders.deep").spiders) == ["quotes"]
    assert "module spiders.nope" in str(project.spiders(Spider, modules="spiders.nope").broken["nope"])


def test_an_unknown_spider_names_the_nearest(root: Path) -> None:
    found = Project(root).spiders(Spider)
    with pytest.raises(SpiderNotFound, match='no spider is named "boks"; did you mean "books"'):
        pick(found, "boks")
    with pytest.raises(SpiderNotFound, match="there are books, quotes"):
        pick(found, "zzz")


def test_a_broken_file_does_not_hide_the_others(root: Path) -> None:
    (root / "spiders" / "broken.py").write_text("import json\n\ndef load():\n    return json.loads('{')\n\nload()\n")
    found = Project(root).spiders(Spider)
    assert pick(found, "books").__name__ == "Books"
    with pytest.raises(SpiderImportError) as caught:
        pick(found, "broken")
    lines = str(caught.value).splitlines()
    assert lines[0] == "spiders/broken.py does not import:"
    assert '  File "spiders/broken.py", line 6, in <module>' in lines
    assert '  File "spiders/broken.py", line 4, in load' in lines
    assert lines[-1].startswith("json.decoder.JSONDecodeError")
    assert "importlib" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "last"),
    [
        ("def f(:\n", "SyntaxError"),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3"),
        ("from crawler import Spder\n", "ImportError: cannot import name 'Spder'"),
    ],
)
def test_whatever_a_file_does_when_imported(root: Path, code: str, last: str) -> None:
    (root / "spiders" / "broken.py").write_text(code)
    broken = Project(root).spiders(Spider).broken["broken"]
    assert last in str(broken).splitlines()[-1]
    assert 'File "spiders/broken.py", line' in str(broken)


def test_settings_that_do_not_import(root: Path) -> None:
    (root / "settings.py").write_text("1 / 0\n")
    with pytest.raises(SettingError, match=r"(?s)settings.py does not import:.*line 1.*ZeroDivisionError"):
        Project(root)


def test_two_spiders_of_one_name(root: Path) -> None:
    (root / "spiders" / "other.py").write_text(SPIDER.format("Other", "books"))
    found = Project(root).spiders(Spider)
    with pytest.raises(UsageError, match=r"two spiders are named .books.: spiders.books.Books and spiders.other.Other"):
        pick(found, "books")
    assert pick(found, "quotes").__name__ == "Quotes"


def test_of_several_broken_files_the_one_meant_is_told(root: Path) -> None:
    for name in ("a_shop", "b_shop"):
        (root / "spiders" / f"{name}.py").write_text(f"import {name}_nothing\n")
    found = Project(root).spiders(Spider)
    for name in ("b_shop", "b-shop"):
        with pytest.raises(SpiderImportError, match="b_shop_nothing") as caught:
            pick(found, name)
        assert "a_shop" not in str(caught.value)
    with pytest.raises(
        SpiderImportError, match=r"(?s)a_shop_nothing.*spiders/b_shop.py does not import:.*b_shop_nothing"
    ):
        pick(found, "shop")


def test_a_setting_that_an_unused_class_declares_is_known(root: Path) -> None:
    (root / "pipelines").mkdir()
    (root / "pipelines" / "__init__.py").touch()
    (root / "pipelines" / "store.py").write_text("class Store:\n    STORE_AT: str = 'x'\n")
    (root / "settings.py").write_text("STORE_AT = 'y'\n")
    project = Project(root)
    assert Settings.load(project.settings, also=project.declaring_classes)["STORE_AT"] == "y"


def test_a_file_is_run_without_a_project(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(SPIDER.format("One", "one"))
    assert spider_in_file(str(tmp_path / "one.py"), Spider, None).__name__ == "One"


def test_a_file_of_the_project_has_its_name_there(root: Path) -> None:
    spider = spider_in_file("spiders/deep/quotes.py", Spider, Project(root))
    assert spider.__module__ == "spiders.deep.quotes"


def test_a_file_with_several_spiders_wants_a_choice(tmp_path: Path) -> None:
    (tmp_path / "two.py").write_text(SPIDER.format("A", "a") + SPIDER.format("B", "b"))
    with pytest.raises(SpiderNotFound, match=r"two.py has several spiders: a, b; choose one with two.py:a"):
        spider_in_file("two.py", Spider, None)
    assert spider_in_file("two.py:b", Spider, None).__name__ == "B"


@pytest.mark.parametrize(
    ("file", "message"), [("none.py", "no such file"), ("text.txt", "not a Python file"), ("empty.py", "has no spider")]
)
def test_files_without_a_spider(tmp_path: Path, file: str, message: str) -> None:
    (tmp_path / "text.txt").touch()
    (tmp_path / "empty.py").touch()
    with pytest.raises(UsageError, match=message):
        spider_in_file(file, Spider, None)


def test_a_proxy_beside_a_spider_is_not_asked_for_its_class(tmp_path: Path) -> None:
    """As flask.current_app is one: outside of its context it raises whatever it is asked for."""

    class Proxy:
        @property
        def __class__(self) -> Any:
            raise RuntimeError("outside of its context")

    module = ModuleType("beside")
    module.proxy = Proxy()  # type: ignore[attr-defined]
    module.Found = type("Found", (), {"name": "found", "__module__": "beside"})  # type: ignore[attr-defined]
    assert [found.__name__ for found in spiders_in(module, object)] == ["Found"]
