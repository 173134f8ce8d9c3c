"""docs/settings.md tells the truth, for the code writes it."""

from __future__ import annotations

from pathlib import Path

from crawler.scrapy.names.reference import page


def test_the_page_is_what_the_code_says() -> None:
    written = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == page(), "run: python -m crawler.scrapy.names.reference > docs/settings.md"
