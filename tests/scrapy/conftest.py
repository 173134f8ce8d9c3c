"""A project of Scrapy's in a folder of its own, and commands in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.conftest import Crawler, crawler, folder

__all__ = ["crawler", "folder", "in_project", "project"]

FILES = {
    "scrapy.cfg": "[settings]\ndefault = shop.settings\n\n[deploy]\nproject = shop\n",
    "shop/__init__.py": "",
    "shop/settings.py": 'BOT_NAME = "shop"\nSPIDER_MODULES = ["shop.spiders"]\nNEWSPIDER_MODULE = "shop.spiders"\n',
    "shop/spiders/__init__.py": "",
    "shop/spiders/words.py": (
        "import scrapy\n\n\n"
        "class Words(scrapy.Spider):\n"
        '    name = "words"\n'
        '    start_urls = ["data:text/html,<p>hello</p>"]\n\n'
        "    def parse(self, response):\n"
        '        yield {"word": response.css("p::text").get()}\n'
    ),
}

Write = Callable[..., Path]


@pytest.fixture
def project(folder: Path) -> Write:
    """``project(**files)`` writes a project of one spider, with these files in it, too; it returns its root."""

    def write(files: dict[str, str] | None = None) -> Path:
        for name, text in {**FILES, **(files or {})}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return folder

    return write


@pytest.fixture
def in_project(crawler: Crawler) -> Crawler:
    """``in_project(*arguments)`` is a command that is given in the project's folder."""
    return crawler
