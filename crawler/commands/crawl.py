"""How is a spider of the project run? ``crawler crawl SPIDER``."""

from __future__ import annotations

import shlex
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
from crawler.commands.processes import run_several
from crawler.errors import UsageError


@click.command()
@click.argument("spiders", metavar="SPIDER…", nargs=-1, required=True)
@running_options
@second_run_options
@workers_options
@process_options
def command(spiders: tuple[str, ...], **given: Unpack[Given]) -> int:
    """Run a spider of the project, or several at once.

    In what several would write (-o, --summary, --warc, --changes, --job) %(name)s stands for the spider's name.

    The exit status is 0 when it is done, 1 when it failed, 2 for wrong usage, 130 when it was stopped by hand; of
    several the highest.
    """
    for spider in spiders:
        if spider.partition(":")[0].endswith(".py"):
            raise UsageError(f'"{spider}" is a file; its spider is run by `crawler run {shlex.quote(spider)}`')
    options = run_options(given)
    if len(spiders) > 1:
        return run_several(spiders, options)
    spider_class, settings = chosen(spiders[0], options.settings, in_file=False)
    return run_crawl(spider_class, settings, options)
