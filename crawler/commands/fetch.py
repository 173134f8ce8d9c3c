"""``crawler fetch URL``: what does one URL give, fetched as a spider would?"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Unpack

import click

from crawler.commands.loading import settings_here
from crawler.commands.options import Given, command_line_settings, settings_options
from crawler.commands.showing import on_terminal, say
from crawler.errors import UsageError
from crawler.events import RequestRefused
from crawler.model.masking import escape, harmless
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.observe.frames import describe
from crawler.spider import Spider

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase
    from twisted.python.failure import Failure

    from crawler.assembly import PreparedCrawl

logger = logging.getLogger("crawler")


_HOST_LIKE = re.compile(r"(?!\w+:[^\d])[\w-]+(\.[\w-]+)*(:\d+)?(/|$)")
"""What looks like an address without its scheme, and not like one of a scheme that is not fetched (mailto:x)."""


class OnePage(Spider):
    """Fetches one URL and keeps what came of it."""

    name = "fetch"
    url: str
    redirect: bool = True

    def start_requests(self) -> Iterator[Request]:
        """Yield the one request, which takes any status."""
        meta = {"handle_httpstatus_all": True, "dont_redirect": not self.redirect}
        self.response: Response | None = None
        self.error: BaseException | None = None
        yield Request(self.url, meta=meta, errback=self.failed, dont_filter=True)

    def parse(self, response: Response) -> None:
        """Keep the response."""
        self.response = response

    def failed(self, failure: Failure) -> None:
        """Keep the error."""
        self.error = failure.value


@click.command()
@click.argument("url")
@click.option("--spider", metavar="SPIDER", help="With this spider's custom_settings.")
@click.option("--headers", is_flag=True, help="Print the request's and the response's headers, not the body.")
@click.option("--no-redirect", is_flag=True, help="Do not follow redirects.")
@settings_options
def command(url: str, spider: str | None, *, headers: bool, no_redirect: bool, **given: Unpack[Given]) -> int:
    """Fetch URL through the whole downloader, robots.txt and redirects included, and print the body.

    The exit status is 1 if no response came; any status of HTTP is a response.
    """
    if problem := Request(url).problem:
        hint = f'; did you mean "https://{url}"?' if _HOST_LIKE.match(url) else ""
        raise UsageError(f"cannot fetch {url}: {problem}{hint}")
    command_line: dict[str, Any] = {"LOG_LEVEL": "CRITICAL"} | command_line_settings(given)
    command_line |= {"JOB_STORE": "none", "FEEDS": {}, "PIPELINES": []}
    settings = settings_here(command_line, spider)
    from crawler.assembly import prepare, real_world
    from crawler.commands.running import run_prepared

    made: list[PreparedCrawl] = []
    refused: list[RequestRefused] = []

    def prepared(reactor: ReactorBase) -> PreparedCrawl:
        arguments = {"url": url, "redirect": not no_redirect}
        made.append(prepare(OnePage, settings, world=real_world(reactor), arguments=arguments))
        made[0].events.subscribe(RequestRefused, refused.append)
        return made[0]

    status = run_prepared(prepared, settings, quiet=True)
    page = made[0].crawler.spider
    assert isinstance(page, OnePage)
    if page.response is None:
        why = describe(page.error) if page.error is not None else _refusal(refused)
        say(f"crawler: no response from {url}: {why}", err=True)
        return status or 1
    if headers:
        _print_headers(page.response)
    else:
        _print_body(page.response)
    return 0


def _refusal(refused: list[RequestRefused]) -> str:
    if not refused:
        return "the crawl was stopped before one came"
    detail = f": {refused[0].detail}" if refused[0].detail else ""
    return f"the request was refused ({refused[0].reason}{detail})"


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
