"""How does a test get a Crawler?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import crawler
from crawler.scrapy.crawler import Crawler
from crawler.scrapy.settings import Settings
from crawler.scrapy.utils.spider import DefaultSpider


def get_reactor_settings() -> dict[str, Any]:
    """Return the settings that the installed reactor asks for: none."""
    return {}


def get_crawler(
    spidercls: Any = None, settings_dict: dict[str, Any] | None = None, prevent_warnings: bool = True
) -> Any:
    """Return a Crawler that does not run; ``settings_dict`` are the project's settings."""
    settings = Settings({"ROBOTSTXT_OBEY": False, **get_reactor_settings(), **(settings_dict or {})})
    made: Any = Crawler(spidercls or DefaultSpider, settings)
    getattr(made, "_apply_settings", lambda: None)()
    return made


def get_pythonpath() -> str:
    """Return a PYTHONPATH with which a process finds this package."""
    return os.pathsep.join([str(Path(crawler.__path__[0]).parent), os.environ.get("PYTHONPATH", "")])


def get_testenv() -> dict[str, str]:
    """Return an environment with which a process finds this package."""
    return {**os.environ, "PYTHONPATH": get_pythonpath()}
