"""Does each setting have a row that says what it does?"""

from __future__ import annotations

from crawler.config.reference import setting_rows
from crawler.config.settings import Settings


def test_every_setting_says_what_it_does() -> None:
    rows = setting_rows(Settings())
    assert [row.name for row in rows if not row.description] == []
    assert all(row.origin == "default" for row in rows)
