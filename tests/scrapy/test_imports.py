"""Is what public projects import of Scrapy here?"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

LINES = (Path(__file__).parent / "data" / "imports.txt").read_text(encoding="utf-8").splitlines()
NAMES = [line.split() for line in LINES if not line.startswith("#")]


@pytest.mark.parametrize(
    ("module", "names"), [(module, names) for module, *names in NAMES], ids=lambda each: str(each)[:40]
)
def test_what_projects_import_is_here(module: str, names: list[str]) -> None:
    found = import_module(f"crawler.{module}")
    assert [name for name in names if not hasattr(found, name)] == []
