"""``crawler shell [URL|FILE]``: what is on a page, tried at a prompt of Python?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import click

from crawler.commands.loading import load_settings, spider_for
from crawler.commands.one_page import ALONE, address_of, as_it_comes
from crawler.commands.options import Given, arguments_option, command_line_settings, pairs, settings_options
from crawler.commands.showing import say
from crawler.errors import HttpError, UsageError
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.observe.frames import describe
from crawler.shell.prompt import evaluate, nobody_types
from crawler.spider import Spider

if TYPE_CHECKING:
    from crawler.commands.live import LiveCrawl


class NoSpider(Spider):
    """Stands for a spider where none is named."""

    name = "shell"


@click.command()
@click.argument("url", metavar="[URL|FILE]", required=False)
@click.option("--spider", metavar="SPIDER", help="Be this spider: by name, or FILE.py.")
@click.option("-c", "code", metavar="CODE", help="Run this line of Python, print what it comes to, and end.")
@click.option("--no-redirect", is_flag=True, help="Do not follow redirects to the first page.")
@arguments_option
@settings_options
def command(url: str | None, spider: str | None, code: str | None, *, no_redirect: bool, **given: Unpack[Given]) -> int:
    """Open a prompt of Python, IPython's if it is installed, with the page of URL as `response`.

    A page is fetched as a spider would, with robots.txt, delays, redirects and cookies; FILE is read without the
    network. `fetch(url)` gets another one. Without --spider it is the spider whose allowed_domains has the URL.
    """
    command_line: dict[str, Any] = {"LOG_LEVEL": "ERROR"} | command_line_settings(given) | ALONE
    if code is None and nobody_types():
        raise UsageError("nobody can type here: there is no stdin; -c CODE runs a line of Python")
    address = address_of(url) if url is not None else None
    spider_class, project = spider_for(address, spider, command_line, otherwise=NoSpider)
    settings = load_settings(project, spider_class, command_line)
    arguments = pairs("-a", given.get("arguments", ()), UsageError)
    from crawler.assembly import prepare, real_world
    from crawler.commands.live import LiveCrawl
    from crawler.observe.log import start_logging

    core = settings.core
    stop_logging = start_logging(core)
    live = LiveCrawl(
        lambda reactor: prepare(spider_class, settings, world=real_world(reactor), arguments=arguments, feeds=())
    )
    try:
        return _Session(live).run(address, code, redirect=not no_redirect)
    finally:
        live.close()
        stop_logging()


class _Session:
    """One prompt, and what it can fetch."""

    def __init__(self, live: LiveCrawl) -> None:
        from crawler import shell

        self._live = live
        self._shell = shell
        self._names = shell.names_at(live.open())
        self._names["fetch"] = self.fetch

    def run(self, url: str | None, code: str | None, *, redirect: bool) -> int:
        """Fetch the first page, then open the prompt, or run the code."""
        if url is not None:
            self.fetch(url, redirect=redirect)
        if code is None:
            self._shell.open_prompt(self._names, self._shell.help_of(self._names), run=self._live.run)
            return 0
        if url is not None and self._names["response"] is None:
            return 1
        try:
            evaluate(code, self._names)
        except BrokenPipeError:  # nobody reads what it prints
            raise
        except Exception as error:
            say(f"crawler shell: {describe(error)}", err=True)
            return 1
        return 0

    def fetch(self, url_or_request: str | Request, redirect: bool = True) -> None:
        """Fetch a page, whatever its status is; `request` and `response` are then those, None if none came."""
        request = url_or_request
        if not isinstance(request, Request):
            if not isinstance(request, str):
                raise TypeError(f"fetch() takes a URL or a Request, got {request!r}")
            request = Request(address_of(request))
        response: Response | None = None
        try:
            response = self._live.fetch(request if redirect else as_it_comes(request))
        except HttpError as error:
            response = error.response
        except Exception as error:  # also of a middleware of the user's: the prompt opens all the same
            say(f"no response from {request.url}: {describe(error)}", err=True)
        except KeyboardInterrupt:
            say(f"no response from {request.url}: it was interrupted", err=True)
        self._shell.show(self._names, response)
        self._names["request"] = response.request if response is not None else request
