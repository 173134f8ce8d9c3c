"""docs/settings.md tells the truth, for the code writes it."""

from __future__ import annotations

from pathlib import Path

from crawler.config.reference import page, setting_rows
from crawler.config.settings import Settings


def test_the_page_is_what_the_code_says() -> None:
    written = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == page(), "run: python -m crawler.config.reference > docs/settings.md"


def test_every_setting_says_what_it_does() -> None:
    rows = setting_rows(Settings())
    assert [row.name for row in rows if not row.description] == []
    assert all(row.origin == "default" for row in rows)
