"""How fast does this machine crawl? ``crawler bench``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Unpack

import click

from crawler.commands.loading import load_settings
from crawler.commands.options import Given, command_line_settings, settings_options
from crawler.commands.screen import Screen
from crawler.commands.showing import say
from crawler.errors import CrawlerError
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.sample.links import PATH
from crawler.spider import Spider
from crawler.summary import Summary

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase

    from crawler.assembly import PreparedCrawl

_SETTINGS: dict[str, Any] = {
    "CLOSESPIDER_TIMEOUT": "10",
    "CONCURRENT_REQUESTS_PER_DOMAIN": "16",
    "LOGSTATS_INTERVAL": "1",
    "LOG_LEVEL": "WARNING",
    "ROBOTSTXT_OBEY": "false",
    "JOB_STORE": "none",
}


class Links(Spider):
    """Follows every link of a site that has no end."""

    name = "bench"
    url: str

    def start_requests(self) -> Iterator[Request]:
        """Yield the first page."""
        yield Request(f"{self.url}{PATH.lstrip('/')}?n=0")

    def parse(self, response: Response) -> Iterator[Request]:
        """Follow the links."""
        yield from response.follow_all(css="a", callback=self.parse)


class _Rate(Screen):
    """Says at the end how fast it was."""

    def summary(self, summary: Summary, *, go_on: str = "") -> None:
        """Print one line."""
        rate = summary.pages / summary.seconds if summary.seconds else 0.0
        say(f"{summary.pages:,} pages in {summary.seconds:.1f} s: {60 * rate:,.0f} pages/minute ({rate:,.0f}/s)")


@click.command()
@settings_options
def command(**given: Unpack[Given]) -> int:
    """Crawl a site without end that a process of its own serves here, for ten seconds; print pages/minute.

    It is the crawler that is measured, links and all, in memory; -s JOB_STORE=sqlite: with a job, as crawls are
    otherwise; -s CLOSESPIDER_TIMEOUT=3 takes three seconds.
    """
    settings = load_settings(None, Links, _SETTINGS | command_line_settings(given))
    from crawler.assembly import prepare, real_world
    from crawler.commands.running import run_prepared

    with _served() as url:

        def prepared(reactor: ReactorBase) -> PreparedCrawl:
            return prepare(Links, settings, world=real_world(reactor), arguments={"url": url})

        return run_prepared(prepared, settings, screen=_Rate(settings.core))


@contextmanager
def _served() -> Iterator[str]:
    """Serve the sample site in a process of its own; yield its URL."""
    server = subprocess.Popen(
        [sys.executable, "-m", "crawler.sample", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        if not url:
            raise CrawlerError(f"the sample site cannot be served: {server.communicate()[1].strip()}")
        yield url
    finally:
        server.kill()
        server.communicate()
