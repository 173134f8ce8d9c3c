"""``crawler version``: which version is this, and of what is it made?"""

from __future__ import annotations

import platform
from importlib.metadata import version

import click

_PARTS = ("twisted", "parsel", "lxml", "httptools", "h2", "msgspec", "cryptography")


@click.command()
@click.option("-v", "--verbose", is_flag=True, help="Name the versions of what it runs on, for a bug report.")
def command(*, verbose: bool) -> None:
    """Print the version."""
    click.echo(f"crawler {version('surecrawl')}")
    if verbose:
        for part in _PARTS:
            click.echo(f"{part} {version(part)}")
        click.echo(f"python {platform.python_version()}")
        click.echo(f"platform {platform.platform()}")
