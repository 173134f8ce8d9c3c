"""How is the spider of a file run? ``crawler run FILE.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from crawler.commands.loading import chosen
from crawler.commands.options import (
    Given,
    process_options,
    run_options,
    running_options,
    second_run_options,
    workers_options,
)
from crawler.commands.processes import run as run_crawl
from crawler.commands.reading import starts_itself
from crawler.commands.script import run_script
from crawler.errors import UsageError


@click.command()
@click.argument("file")
@click.argument("words", metavar="[WORD]…", nargs=-1)
@running_options
@second_run_options
@workers_options
@process_options
def command(file: str, words: tuple[str, ...], **given: Unpack[Given]) -> int:
    """Run the spider of FILE.py, no project needed. A file with several: FILE.py:NAME.

    A script written for Scrapy that starts its crawl itself is run as Python runs it, with the WORDs as its arguments.
    """
    options = run_options(given)
    path = Path(file)
    typed = any(given.values())
    if path.suffix == ".py" and path.is_file() and starts_itself(path, with_options=typed):
        if typed:
            raise UsageError(
                f"{file} starts its crawl itself, with its own settings and arguments: it takes no options here"
            )
        return run_script(path, words)
    if words:
        raise UsageError(f"{' '.join(words)}: only a script that starts its crawl itself takes more than the file")
    spider_class, settings = chosen(file, options.settings, in_file=True)
    return run_crawl(spider_class, settings, options, file=file)
