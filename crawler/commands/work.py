"""How does another machine, or another process, help with a crawl? ``crawler work URL JOB``."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from crawler.commands.options import Given, command_line_settings, settings_options
from crawler.commands.seen import seen_options


@click.command()
@click.argument("url")
@click.argument("name", metavar="JOB")
@click.option("--workers", "count", type=click.IntRange(1, 1000), default=1, metavar="N", help="Work with N processes.")
@click.option("--called", metavar="NAME", help="What the workers are called in logs; the machine's name if not given.")
@click.option("--force", is_flag=True, help="Work though the spider here is not that of the job.")
@click.option("--as", "identity", hidden=True)
@click.option("--blame", hidden=True, type=click.Path(path_type=Path))
@seen_options
@settings_options
def command(
    url: str,
    name: str,
    count: int,
    called: str | None,
    force: bool,
    identity: str | None,
    blame: Path | None,
    **given: Unpack[Given],
) -> int:
    """Work on JOB, whose store is the Redis or Valkey at URL, until its crawl is over.

    Stand in the same project as where the crawl was started. A password comes from the settings or the environment:
    JOB_STORE_PASSWORD. Ctrl-C ends these workers, and not the crawl.
    """
    from crawler.storage.cluster.address import refuse_password

    refuse_password(url, "URL")
    command_line = command_line_settings(given)
    if identity is not None and blame is not None:
        from crawler.commands.cluster.worker import run_worker

        return run_worker(url, name, called=called or identity, identity=identity, blame=blame)
    from crawler.commands.cluster.helping import run_helpers

    return run_helpers(url, name, command_line, count=count, called=called, force=force)
