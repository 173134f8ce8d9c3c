"""``crawler view URL``: what does a page look like, as a spider gets it?"""

from __future__ import annotations

from typing import Any, Unpack

import click

from crawler.commands.loading import project_and_settings
from crawler.commands.one_page import ALONE, address_of, fetch_one
from crawler.commands.options import Given, command_line_settings, settings_options


@click.command()
@click.argument("url", metavar="URL|FILE")
@click.option("--spider", metavar="SPIDER", help="With this spider's custom_settings.")
@click.option("--no-redirect", is_flag=True, help="Do not follow redirects.")
@settings_options
def command(url: str, spider: str | None, *, no_redirect: bool, **given: Unpack[Given]) -> int:
    """Fetch URL as a spider would and open it in the browser; where there is none, print the path of the file."""
    command_line: dict[str, Any] = {"LOG_LEVEL": "CRITICAL"} | command_line_settings(given) | ALONE
    response, status = fetch_one(address_of(url), *project_and_settings(command_line, spider), redirect=not no_redirect)
    if response is None:
        return status
    from crawler.shell import open_in_browser

    open_in_browser(response)
    return status
