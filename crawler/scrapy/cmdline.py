"""How does a script run a command line of Scrapy's? ``cmdline.execute(["scrapy", "crawl", "NAME"])``."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from crawler.commands import main
from crawler.scrapy.project import in_place_of


def execute(argv: list[str] | None = None, settings: Any = None) -> NoReturn:
    """Run the command line ``argv``, whose first word is the program's name, and exit with its status.

    ``settings`` are in the place of the project's.
    """
    words = list(sys.argv if argv is None else argv)[1:]
    with in_place_of(settings):
        main(words)
    raise SystemExit  # for type checkers: main() has raised it


if __name__ == "__main__":
    execute()
