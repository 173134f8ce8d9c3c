"""Do the scripts of docs/scripts.md do what they say?"""

from __future__ import annotations

import asyncio

import pytest

from tests.docs.blocks import load

DOCUMENT = "docs/scripts.md"


def test_the_first_script_counts_its_items(capsys: pytest.CaptureFixture[str]) -> None:
    script = load(DOCUMENT, "first_script.py")
    script["Titles"].start_urls = ["data:text/html,<title>Books</title>"]
    asyncio.run(script["main"]())
    assert capsys.readouterr().out == "1 1 0\n2\n"


def test_the_second_script_stops_when_it_has_enough() -> None:
    spider = load(DOCUMENT, "first_script.py")["Titles"]
    spider.start_urls = [f"data:text/html,<title>{number}</title>" for number in range(5000)]
    found, summary = asyncio.run(load(DOCUMENT, "second_script.py")["first_of"](spider, 3))
    assert (len(found), summary.reason) == (3, "shutdown")
