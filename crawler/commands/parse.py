"""``crawler parse URL``: which items and requests does a callback give for one page?"""

from __future__ import annotations

import json
from pprint import pformat
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

import click

from crawler.commands.loading import load_settings, spider_for
from crawler.commands.one_page import ALONE, address_of, checked_url, refusal
from crawler.commands.options import (
    Given,
    arguments_option,
    command_line_settings,
    feeds_options,
    pairs,
    settings_options,
)
from crawler.commands.parsed import Parsed
from crawler.commands.showing import say, shown
from crawler.config.nearest import did_you_mean
from crawler.config.settings import OnlyFeeds, Settings
from crawler.errors import UsageError
from crawler.events import ItemScraped, RequestRefused
from crawler.model.request import Request
from crawler.observe.frames import describe
from crawler.spider import Spider

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase

    from crawler.assembly import PreparedCrawl


class _Wish(NamedTuple):
    """Which request is wanted, beside its URL."""

    callback: str | None
    rules: bool
    meta: dict[str, Any]
    cb_kwargs: dict[str, Any]

    def request(self, url: str, spider: Spider) -> Request:
        """Return the request, with what the spider has for it. Raises UsageError."""
        request = Request(url, dont_filter=True)
        if self.rules:
            by_rule = getattr(spider, "request_by_rule", None)
            if by_rule is None:
                raise UsageError(f"spider {spider.name} has no rules: it is no CrawlSpider; -c names a callback")
            request = by_rule(url)
            if request is None:
                raise UsageError(f"no rule of spider {spider.name} takes {url}; -c names a callback")
        callback = request.callback
        if self.callback is not None:
            callback = getattr(spider, self.callback, None)
            if not callable(callback):
                methods = [name for name in dir(spider) if not name.startswith("_")]
                hint = did_you_mean(self.callback, methods)
                raise UsageError(f'spider {spider.name} has no method "{self.callback}"{hint}')
        meta, cb_kwargs = {**request.meta, **self.meta}, {**request.cb_kwargs, **self.cb_kwargs}
        return request.replace(callback=callback, meta=meta, cb_kwargs=cb_kwargs, dont_filter=True)


@click.command()
@click.argument("url", metavar="URL|FILE")
@click.option("--spider", metavar="SPIDER", help="Be this spider: by name, or FILE.py.")
@click.option("-c", "--callback", metavar="METHOD", help="Give the page to this method of the spider.")
@click.option("-r", "--rules", is_flag=True, help="Give it to the callback of the rule that takes its URL.")
@click.option("-m", "--meta", metavar="JSON", help="Put this into the request's meta: a JSON object.")
@click.option("--cbkwargs", metavar="JSON", help="Give the callback these arguments: a JSON object.")
@click.option("-d", "--depth", type=click.IntRange(1), default=1, metavar="N", help="Follow requests N pages deep.")
@click.option("--pipelines", is_flag=True, help="Let items go through PIPELINES.")
@click.option("--noitems", is_flag=True, help="Show no items.")
@click.option("--nolinks", is_flag=True, help="Show no requests.")
@click.option("--nocolour", is_flag=True, help="Show all in one colour.")
@click.option("-v", "--verbose", "by_level", is_flag=True, help="Show each level of depth by itself.")
@arguments_option
@feeds_options
@settings_options
def command(
    url: str,
    spider: str | None,
    callback: str | None,
    meta: str | None,
    cbkwargs: str | None,
    depth: int,
    *,
    rules: bool,
    pipelines: bool,
    noitems: bool,
    nolinks: bool,
    nocolour: bool,
    by_level: bool,
    **given: Unpack[Given],
) -> int:
    """Fetch URL, give it to a callback and show the items and requests that it yields.

    Without --spider it is the spider whose allowed_domains has the URL. The exit status is 1 if no page came, or if a
    callback or a stage failed.
    """
    if rules and callback is not None:
        raise UsageError("-r finds the callback, and -c names one: give one of them")
    wish = _Wish(callback, rules, _object("--meta", meta), _object("--cbkwargs", cbkwargs))
    url = checked_url(address_of(url))
    command_line: dict[str, Any] = {"LOG_LEVEL": "WARNING"} | command_line_settings(given)
    asked = command_line.get("FEEDS", {})
    command_line |= ALONE | {"FEEDS": OnlyFeeds(asked)}
    if pipelines:
        del command_line["PIPELINES"]
    spider_class, project = spider_for(url, spider, command_line)
    settings = load_settings(project, spider_class, command_line)
    arguments = pairs("-a", given.get("arguments", ()), UsageError)
    parsed = Parsed(depth)
    status = _run(url, wish, parsed, spider_class, settings, arguments)
    if parsed.came:
        report = _Report(aside="-" in asked, colour=not nocolour, items=not noitems, links=not nolinks)
        report.show(parsed, by_level)
    return status


def _run(
    url: str,
    wish: _Wish,
    parsed: Parsed,
    spider_class: type[Spider],
    settings: Settings,
    arguments: dict[str, str],
) -> int:
    """Run the crawl; return the exit status, and tell if no page came."""
    from crawler.assembly import prepare, real_world
    from crawler.commands.running import run_prepared

    refused: list[RequestRefused] = []

    def prepared(reactor: ReactorBase) -> PreparedCrawl:
        made = prepare(spider_class, settings, world=real_world(reactor), arguments=arguments)
        spider = made.crawler.spider
        assert spider is not None
        first = parsed.first(wish.request(url, spider), spider)
        vars(spider)["start"] = lambda: [first]
        made.events.subscribe(ItemScraped, parsed.scraped)
        made.events.subscribe(RequestRefused, refused.append)
        return made

    status = run_prepared(prepared, settings, quiet=True)
    if parsed.came:
        return status
    why = describe(parsed.error) if parsed.error is not None else refusal(refused)
    say(f"crawler: no response from {url}: {why}", err=True)
    return status or 1


def _object(option: str, text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text) if text is not None else {}
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise UsageError(f"""{option}: expected a JSON object such as '{{"page": 2}}', got {text}""")
    return value


class _Report:
    """Prints what was found, in the form of Scrapy's; ``aside``: on stderr, where stdout is for items."""

    def __init__(self, *, aside: bool, colour: bool, items: bool, links: bool) -> None:
        from rich.console import Console
        from rich.highlighter import NullHighlighter, ReprHighlighter

        self._console = Console(stderr=aside, highlight=False, soft_wrap=True)
        self._highlighter = ReprHighlighter() if colour else NullHighlighter()
        self._items = items
        self._links = links

    def show(self, parsed: Parsed, verbose: bool) -> None:
        """Show each level, or all items and the requests of the last."""
        if verbose:
            for number, level in enumerate(parsed.levels, 1):
                self._show(f">>> DEPTH LEVEL: {number} <<<", level.items, level.requests)
        else:
            items = [item for level in parsed.levels for item in level.items]
            self._show(f">>> STATUS DEPTH LEVEL {len(parsed.levels)} <<<", items, parsed.levels[-1].requests)

    def _show(self, head: str, items: list[dict[str, Any]], requests: list[Request]) -> None:
        self._print(f"\n{head}")
        for wanted, title, values in ((self._items, "Scraped Items", items), (self._links, "Requests", requests)):
            if wanted:
                self._print(f"# {title} ".ljust(75, "-"))
                self._print(self._highlighter(shown(pformat(values, sort_dicts=False))))

    def _print(self, text: Any) -> None:
        self._console.print(text, markup=False)
