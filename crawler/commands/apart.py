"""Do the files that one crawl writes have names of their own, so that none is written over another?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from crawler.commands.options import RunOptions
from crawler.config.importing import near
from crawler.config.settings import Settings
from crawler.errors import UsageError
from crawler.feeds.names import is_elsewhere, local_path, parse_output
from crawler.feeds.tables.address import is_database
from crawler.spider import Spider

NAME = "%(name)s"
"""Stands for the spider's name in what is typed once and written by each."""


def check_apart(spider: type[Spider], settings: Settings, options: RunOptions) -> None:
    """Raise UsageError if two options name one file, or that of the spider; two outputs the feeds tell apart."""
    source = getattr(sys.modules.get(spider.__module__), "__file__", None)
    taken = {Path(source).resolve(): f"the spider's file {near(source)}"} if source else {}
    for what, text in _written(settings, options):
        path = Path(text.replace(NAME, spider.name)).expanduser().resolve()
        if path.exists() and not path.is_file():  # a device takes what comes from several; of a folder others complain
            continue
        shown = f"{what} {text}"
        other = taken.setdefault(path, shown)
        if other != shown and not (what == _OUTPUT and other.startswith(_OUTPUT)):
            raise UsageError(f"{other} and {shown} are one file; give each a name of its own")


_OUTPUT = "the output"


def _written(settings: Settings, options: RunOptions) -> Iterator[tuple[str, str]]:
    core = settings.core
    for key, given in core.FEEDS.items():
        name = str(key)
        path = name if given.get("format") else parse_output(name)[0]
        if path != "-" and not is_database(name) and not is_elsewhere(path):
            yield _OUTPUT, local_path(name, path)
    others = {
        "--summary": options.summary,
        "--warc": core.WARC_FILE,
        "--changes": core.CHANGES_FILE,
        "--logfile": core.LOG_FILE,
        "--pidfile": options.pidfile,
        "--profile": options.profile,
    }
    for what, text in others.items():
        if text is not None and text != "-":
            yield what, text
