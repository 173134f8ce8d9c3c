"""Does docs/from_scrapy.md say what is so?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import crawler
from crawler.scrapy import signals
from crawler.testing import crawl

TEXT = (Path(__file__).parents[2] / "docs" / "from_scrapy.md").read_text(encoding="utf-8")
ROOT = "https://books.toscrape.com/"


def test_the_names_to_import_are_there() -> None:
    imports = re.findall(r"`from crawler import ([^`]+)`", TEXT)
    assert len(imports) > 6
    for names in imports:
        for name in names.split(", "):
            assert name in crawler.__all__, name
            assert getattr(crawler, name) is not None


def test_the_signals_that_work_are_those_listed() -> None:
    (line,) = re.findall(r"works for (.*?);", TEXT)
    listed = set(re.findall(r"\w+_\w+", line))
    assert listed == {name for name, value in vars(signals).items() if isinstance(value, signals.Signal)}


def test_the_example_runs() -> None:
    (code,) = re.findall(r"```python\n(# spiders/shelf.py.*?)```", TEXT, re.DOTALL)
    names: dict[str, Any] = {"__name__": "shelf"}
    exec(code, names)
    site = {
        ROOT: "<div class=side_categories><a href=/poetry>Poetry</a></div><a href=/about>About</a>",
        ROOT + "poetry": "<article class=product_pod><h3><a href=/1>One</a></h3></article>",
        ROOT + "1": "<h1>One</h1><p class=price_color>£12.50</p>",
    }
    result = crawl(names["Shelf"], site)
    assert result.items == [{"title": "One", "price": 12.5}]
    assert result.summary.stats["books"] == 1
    assert ROOT + "about" not in result.urls
