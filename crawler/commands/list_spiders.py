"""Which spiders does the project have? ``crawler list``."""

from __future__ import annotations

from typing import Unpack

import click

from crawler.commands.loading import project_here, spiders_of
from crawler.commands.options import Given, command_line_settings, settings_options
from crawler.commands.showing import say


@click.command()
@settings_options
def command(**given: Unpack[Given]) -> None:
    """List the spiders of the project, a name a line. Files that do not import are an error, after the list."""
    found = spiders_of(project_here(), command_line_settings(given))
    for name in found.spiders:
        say(name)
    if found.broken:
        raise found.problem()
