"""How many calls does one page of a crawl in memory take: one item, one link followed, in the steady state?

    PYTHONPATH=CHECKOUT python bench/page_calls.py    # one line of JSON; bench.structure runs it

``all`` counts calls of the program's functions, ``engine`` those in engine/, ``files`` the files that take part.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import crawler
from crawler import Request, Response, Spider
from crawler.testing import crawl

HOME = str(Path(crawler.__file__).parent)
FROM, TO = 100, 200
CALLS: Counter[str] = Counter()
COUNTED: list[Counter[str]] = []


def look(frame: FrameType, event: str, _argument: Any) -> None:
    """Count a call of the program's."""
    if event == "call" and frame.f_code.co_filename.startswith(HOME):
        CALLS[frame.f_code.co_filename[len(HOME) + 1 :]] += 1


class Pages(Spider):
    """Goes from page to page."""

    name = "pages"
    start_urls = ["http://site.example/0"]
    custom_settings = {"ROBOTSTXT_OBEY": False}

    def parse(self, response: Response) -> Iterator[dict[str, int] | Request]:
        """Yield an item and follow one link."""
        number = int(response.url.rsplit("/", 1)[1])
        if number == FROM:
            sys.setprofile(look)
        if number == TO:
            sys.setprofile(None)
            COUNTED.append(Counter(CALLS))
        yield {"number": number}
        if number < TO + 20:
            yield response.follow(f"/{number + 1}", self.parse)


def main() -> None:
    """Crawl and print."""
    crawl(Pages, {f"http://site.example/{number}": "<html><body><p>a page</p></body></html>" for number in range(222)})
    counted, pages = COUNTED[0], TO - FROM
    figures = {
        "all": sum(counted.values()) / pages,
        "engine": sum(number for name, number in counted.items() if name.startswith("engine")) / pages,
        "files": sum(number >= pages / 2 for number in counted.values()),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
