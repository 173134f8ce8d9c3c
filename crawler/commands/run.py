"""How is the spider of a file run? ``crawler run FILE.py``."""

from __future__ import annotations

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


@click.command()
@click.argument("file")
@running_options
@second_run_options
@workers_options
@process_options
def command(file: str, **given: Unpack[Given]) -> int:
    """Run the spider of FILE.py, no project needed. A file with several: FILE.py:NAME."""
    options = run_options(given)
    spider_class, settings = chosen(file, options.settings, in_file=True)
    return run_crawl(spider_class, settings, options, file=file)
