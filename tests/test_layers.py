"""Does every module import only what its room may, and does the check notice when one does not?"""

from __future__ import annotations

from pathlib import Path

import pytest

import crawler
from tests.layers import EXCEPTIONS, PACKAGE, ROOMS, cycles, imports, room_of, sources, violations

ROOT = Path(__file__).parents[1]
MODULES = sources(ROOT / PACKAGE)


def test_every_import_is_in_the_table() -> None:
    problems = violations(MODULES)
    assert not problems, "\n".join(problems)


def test_no_import_cycles() -> None:
    assert cycles(MODULES, typing_too=False) == []


def test_no_import_cycles_with_typing_imports() -> None:
    found = cycles(MODULES)
    assert not found, "\n".join(", ".join(circle) for circle in found)


def test_the_table_has_no_room_that_is_not_there() -> None:
    assert set(ROOMS) - {room_of(module) for module in MODULES} == set()


def test_every_exception_is_still_needed() -> None:
    for module, third in EXCEPTIONS:
        found = imports(module, MODULES[module], is_package=False)
        assert third in {each.module.partition(".")[0] for each in found}, (module, third)


PROJECT = [*ROOT.glob("spiders/*.py"), *ROOT.glob("pipelines/*.py"), ROOT / "settings.py"]


def test_a_project_imports_the_public_face_only() -> None:
    for path in PROJECT:
        for found in imports(path.stem, path.read_text(encoding="utf-8"), is_package=False):
            assert not found.module.startswith(f"{PACKAGE}."), f"{path.name}:{found.line} reaches into {found.module}"
            if found.module == PACKAGE:
                assert found.name in crawler.__all__, f"{path.name}:{found.line} {found.name} is not public"


# The check itself, on sources made up to break one rule each.

CLEAN = {
    "crawler": "from crawler.model.url import join\n__all__ = ['join']",
    "crawler.errors": "",
    "crawler.model": "",
    "crawler.model.invalid": "",
    "crawler.model.url": "import ada_url\nfrom crawler.model.invalid import InvalidRequest",
    "crawler.frontier": "",
    "crawler.frontier.host": "from crawler.model.url import join",
    "crawler.frontier.queue": "from crawler.frontier.host import Entry",
    "crawler.download.seam": "from twisted.internet.defer import Deferred",
    "crawler.download.wire.head": "import httptools\nfrom crawler.errors import BadResponse",
    "crawler.storage": "",
    "crawler.commands": "from twisted.internet import reactor\nfrom crawler.storage import x",
}


def test_made_up_clean_sources_pass() -> None:
    assert violations(CLEAN) == []
    assert cycles(CLEAN) == []


@pytest.mark.parametrize(
    ("module", "source", "says"),
    [
        ("crawler.errors", "import msgspec", "third party msgspec"),
        ("crawler.download.wire.head", "import twisted", "third party twisted in download.wire"),
        ("crawler.download.wire.head", "from crawler.download import seam", "crawler.download.seam in download.wire"),
        ("crawler.model.url", "from crawler import storage", "may not import crawler.storage"),
        ("crawler.model.url", "from ..storage import jobs", "may not import crawler.storage"),
        ("crawler.model.url", "from .. import storage", "may not import crawler.storage"),
        ("crawler.model.url", "import crawler.storage", "may not import crawler.storage"),
        ("crawler.model.url", "def f():\n    import requests", "third party requests"),
        ("crawler.model.url", "if TYPE_CHECKING:\n    import twisted", "third party twisted"),
        ("crawler.model.url", "import time", "time is an argument"),
        ("crawler.model.url", "from datetime import datetime\nx = datetime.now()", "calls datetime.now"),
        ("crawler.model.url", "import datetime\nx = datetime.datetime.utcnow()", "time is an argument"),
        ("crawler.frontier.host", "from random import random", "random is an argument"),
        ("crawler.frontier.host", "import logging", "the caller logs"),
        ("crawler.storage", "from crawler.frontier.queue import Queue", "may not import crawler.frontier.queue"),
        ("crawler.storage", "from twisted.internet import reactor", "global reactor"),
        ("crawler.storage", "import twisted.internet.reactor", "global reactor"),
        ("crawler.storage", "def f():\n    from twisted.internet.threads import deferToThread", "global reactor"),
        ("crawler.frontier.store", "from twisted.internet.defer import Deferred", "third party twisted"),
        ("crawler.frontier.store", "if TYPE_CHECKING:\n    from twisted.internet.defer import Deferred", ""),
        ("crawler.attic", "import os", "a room that the table does not know"),
    ],
)
def test_a_broken_rule_is_noticed(module: str, source: str, says: str) -> None:
    problems = violations({**CLEAN, module: source})
    assert len(problems) == (1 if says else 0), problems
    assert not says or says in problems[0]


def test_the_interface_modules_of_a_room_may_be_imported() -> None:
    assert violations({**CLEAN, "crawler.storage": "from crawler.frontier.host import Entry"}) == []


def test_a_cycle_is_noticed() -> None:
    circle = {**CLEAN, "crawler.model.invalid": "def f():\n    from crawler.model import url"}
    assert cycles(circle) == [["crawler.model.invalid", "crawler.model.url"]]


def test_a_cycle_through_typing_is_noticed() -> None:
    circle = {
        **CLEAN,
        "crawler.model.invalid": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import crawler.model.url",
    }
    assert cycles(circle) == [["crawler.model.invalid", "crawler.model.url"]]
    assert cycles(circle, typing_too=False) == []
