"""``crawler fetch URL``: what does one URL give, fetched as a spider would?"""

from __future__ import annotations

from typing import Any, Unpack

import click

from crawler.commands.loading import project_and_settings
from crawler.commands.matching import match_options, print_matches, typed
from crawler.commands.one_page import ALONE, fetch_one
from crawler.commands.options import Given, command_line_settings, settings_options
from crawler.commands.showing import on_terminal, say
from crawler.errors import UsageError
from crawler.model.masking import escape, harmless
from crawler.model.response import Response


@click.command()
@click.argument("url")
@click.option("--spider", metavar="SPIDER", help="With this spider's custom_settings.")
@click.option("--headers", is_flag=True, help="Print the request's and the response's headers, not the body.")
@click.option("--no-redirect", is_flag=True, help="Do not follow redirects.")
@match_options
@settings_options
def command(
    url: str,
    spider: str | None,
    *,
    css: tuple[str, ...],
    xpath: tuple[str, ...],
    json: tuple[str, ...],
    headers: bool,
    no_redirect: bool,
    **given: Unpack[Given],
) -> int:
    """Fetch URL through the whole downloader, robots.txt and redirects included, and print the body.

    Of several expressions the matches are one JSON object. The exit status is 1 if no response came, or if nothing
    matches; any status of HTTP is a response.
    """
    expressions = typed({"css": css, "xpath": xpath, "json": json})
    if headers and expressions:
        raise UsageError("--headers prints no body, in which something could match: leave one of the two out")
    command_line: dict[str, Any] = {"LOG_LEVEL": "CRITICAL"} | command_line_settings(given) | ALONE
    response, status = fetch_one(url, *project_and_settings(command_line, spider), redirect=not no_redirect)
    if response is None:
        return status
    if expressions:
        return status if print_matches(response, expressions) else 1
    if headers:
        _print_headers(response)
    else:
        _print_body(response)
    return status


def _print_headers(response: Response) -> None:
    request = response.request
    if request is not None:
        say(f"> {request.method} {request.url}")
        for name, value in request.headers.raw():
            say(f"> {_text(name)}: {'***' if name.lower() in _SECRET else _text(value)}")
    say(f"< {response.status} {response.protocol or ''}".rstrip())
    for name, value in response.headers.raw():
        say(f"< {_text(name)}: {_text(value)}")


_SECRET = (b"authorization", b"proxy-authorization")


def _text(raw: bytes) -> str:
    return escape(raw.decode("utf-8", "backslashreplace"))


def _print_body(response: Response) -> None:
    """Print the body: byte by byte into a file or pipe, as harmless text on a terminal."""
    if not on_terminal():
        click.echo(response.body, nl=False)
        return
    text = response.text if response.kind != "binary" else response.body.decode("utf-8", "backslashreplace")
    click.echo(harmless(text), nl=False)
