"""``crawler check [SPIDER…]``: do callbacks do what their docstrings promise?"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Unpack

import click

from crawler.commands.checking import Check, Results, checked_methods
from crawler.commands.loading import load_settings, project_here, spider_for, spiders_of
from crawler.commands.one_page import ALONE
from crawler.commands.options import Given, arguments_option, command_line_settings, pairs, settings_options
from crawler.commands.showing import say
from crawler.config.settings import Settings
from crawler.contracts import by_name
from crawler.errors import UsageError
from crawler.events import RequestRefused
from crawler.spider import Spider

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase

    from crawler.assembly import PreparedCrawl
    from crawler.commands.together import Together


@click.command()
@click.argument("spiders", metavar="[SPIDER]…", nargs=-1)
@click.option("-l", "--list", "only_list", is_flag=True, help="List the callbacks that have contracts; fetch nothing.")
@click.option("-v", "--verbose", "every_spider", is_flag=True, help="Also name the spiders that have none.")
@arguments_option
@settings_options
def command(spiders: tuple[str, ...], *, only_list: bool, every_spider: bool, **given: Unpack[Given]) -> int:
    """Fetch the pages that docstrings of callbacks name, and see whether the callbacks give what they promise.

    All spiders of the project, or those named (also FILE.py). The exit status is 1 if a promise is not kept.
    """
    command_line: dict[str, Any] = {"LOG_LEVEL": "CRITICAL"} | command_line_settings(given) | ALONE
    found = [_Checked(spider, settings) for spider, settings in _spiders(spiders, command_line)]
    if only_list or every_spider:
        for each in found:
            if each.methods or every_spider:
                say("\n".join([each.spider.name, *(f"  * {method}" for method in each.methods)]))
    if only_list:
        return 0
    found = [each for each in found if each.methods]
    if not found:
        say("crawler: no docstring of a callback has a contract such as @url (docs/commands.md)", err=True)
    return _run(found, load_settings(None, None, command_line), pairs("-a", given.get("arguments", ()), UsageError))


def _spiders(names: tuple[str, ...], command_line: dict[str, Any]) -> list[tuple[type[Spider], Settings]]:
    if names:
        chosen = [spider_for(None, name, command_line) for name in names]
    else:
        project = project_here()
        found = spiders_of(project, command_line)
        if found.broken:
            raise found.problem()
        chosen = [(spider, project) for spider in found.spiders.values()]
    return [(spider, load_settings(project, spider, command_line)) for spider, project in chosen]


class _Checked:
    """A spider, and what is checked of it."""

    def __init__(self, spider: type[Spider], settings: Settings) -> None:
        self.spider = spider
        self.settings = settings
        self.known = by_name(settings.core.SPIDER_CONTRACTS)
        self.methods = list(checked_methods(spider, self.known))
        self.checks: list[Check] = []
        self._refused: dict[str, str] = {}

    def prepare(self, reactor: ReactorBase, arguments: dict[str, str], results: Results) -> PreparedCrawl:
        """Return the crawl that asks for the pages."""
        from crawler.assembly import prepare, real_world

        prepared = prepare(self.spider, self.settings, world=real_world(reactor), arguments=arguments)
        spider = prepared.crawler.spider
        assert spider is not None
        self.checks = [Check(spider, method, self.known, results) for method in self.methods]
        vars(spider)["start"] = lambda: [check.request for check in self.checks if check.request is not None]
        prepared.events.subscribe(RequestRefused, self._note)
        return prepared

    def finish(self) -> None:
        """Report what came to no end."""
        for check in self.checks:
            if not check.done and check.request is not None:
                url = check.request.url
                check.end("ERROR", url, self._refused.get(url, "it was not ended"))

    def _note(self, refused: RequestRefused) -> None:
        self._refused[refused.request.url] = f"the request was refused ({refused.reason}: {refused.detail})"


def _run(found: list[_Checked], settings: Settings, arguments: dict[str, str]) -> int:
    from crawler.commands import STOPPED_BY_HAND
    from crawler.commands.running import run_prepared
    from crawler.commands.together import Together

    results = Results()
    began = time.monotonic()

    def prepared(reactor: ReactorBase) -> Together:
        return Together([each.prepare(reactor, arguments, results) for each in found])

    status = run_prepared(prepared, settings, quiet=True) if found else 0
    for each in found:
        each.finish()
    well = results.report(time.monotonic() - began)
    return STOPPED_BY_HAND if status == STOPPED_BY_HAND else int(not well)
