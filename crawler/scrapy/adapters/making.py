"""How are the parts of a crawl made for a spider of Scrapy's, in the order in which Scrapy makes them?

Settings with the spider's in them, the Crawler, the spider, which may still change them, what else is made of them;
then the crawler's own settings follow, and what belongs to the engine is made.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import ModuleType
from typing import Any

from crawler.assembly import making
from crawler.assembly.rules import checked_fingerprint, make_acceptance
from crawler.config.layers import CORE_KINDS
from crawler.config.settings import OnlyFeeds, Settings
from crawler.engine.deciding.acceptance import Acceptance, Marks
from crawler.engine.user_code.around import Around
from crawler.errors import UsageError
from crawler.policy.outcome import Rules
from crawler.policy.scope import RequestFilter
from crawler.scrapy import signals
from crawler.scrapy.adapters import chain, feeds, keys, lines, policies
from crawler.scrapy.adapters.components import made
from crawler.scrapy.adapters.counts import CountDepth, ScrapyCounts
from crawler.scrapy.adapters.crawls import Crawler
from crawler.scrapy.adapters.engine import Engine
from crawler.scrapy.adapters.events import Scheduled
from crawler.scrapy.adapters.finder import line
from crawler.scrapy.adapters.idle import until_idle
from crawler.scrapy.adapters.results import AroundCallbacks, AroundMiddlewares
from crawler.scrapy.adapters.seen import NoMarks, Seen, queue_order
from crawler.scrapy.adapters.stages import stages
from crawler.scrapy.adapters.start import process_start
from crawler.scrapy.adapters.watching import Watching
from crawler.scrapy.addons import AddonManager
from crawler.scrapy.extensions import memusage
from crawler.scrapy.names.attributes import OLD_SETTINGS
from crawler.scrapy.names.layers import FromScrapy
from crawler.scrapy.names.table import SCRAPY_NAMES
from crawler.scrapy.names.theirs import THEIRS
from crawler.scrapy.settings import BaseSettings
from crawler.scrapy.settings import Settings as ScrapySettings
from crawler.spider import Spider
from crawler.threads import Pools

logger = logging.getLogger("crawler")


class Making(making.Making):
    """Makes the parts of one crawl of a Scrapy spider."""

    crawler: Crawler

    def __init__(self, settings: Settings, pools: Pools | None = None) -> None:
        assert isinstance(settings, FromScrapy)
        crawler = settings.made_for
        self.crawler = crawler if crawler.spider is None else crawler.anew()
        self.settings = settings
        if pools is not None:
            self.crawler.pools = pools

    @classmethod
    def load(
        cls,
        project: ModuleType | Mapping[str, Any] | None,
        spider: type[Spider] | None,
        command_line: Mapping[str, Any] | None = None,
        *,
        script: Mapping[str, Any] | None = None,
        also: Callable[[], Iterable[Any]] | None = None,
    ) -> Settings:
        """Gather the settings of all layers. Raises SettingError, and what the spider's update_settings raises.

        ``script``: Scrapy's Settings keep their priorities; those of a mapping win over the spider's.
        """
        assert spider is not None
        settings = ScrapySettings()
        if isinstance(project, ModuleType):
            settings.setmodule(project)
        else:
            settings.setdict(project)
        settings.setdict(script if isinstance(script, BaseSettings) else script or {}, priority="cmdline")
        command_line = _with_feeds(command_line or {}, settings)
        # What only we know is read from the command line itself: a project may have a setting of that name.
        ours = {name for name in command_line if name in CORE_KINDS and name not in SCRAPY_NAMES and name in settings}
        settings.setdict({name: command_line[name] for name in command_line.keys() - ours}, priority="cmdline")
        if command_line.get("PIPELINES") == []:  # of a command that runs a spider for itself
            settings.set("ITEM_PIPELINES", {}, priority="cmdline")
        AddonManager.load_pre_crawler_settings(settings)
        crawler = Crawler(spider, settings)
        crawler.told_us = {} if isinstance(script, BaseSettings) else script or {}, command_line, also
        return cls.loaded(crawler)

    @classmethod
    def with_spider(cls, settings: Settings, spider: type[Spider]) -> Settings:
        """Return settings that a script made in our words, for the crawls of a Scrapy spider. Raises SettingError."""
        if isinstance(settings, FromScrapy):
            return settings
        given = {name: settings[name] for name in settings if settings.origin(name) != "default"}
        return cls.load(None, spider, script=given)

    @staticmethod
    def loaded(crawler: Crawler, more: Mapping[str, Any] | None = None) -> FromScrapy:
        """Return the crawler's own settings as they follow from those of a Crawler. Raises SettingError."""
        script, command_line, also = crawler.told_us
        made = FromScrapy.made_of(crawler.settings, more=more, script=script, command_line=command_line, also=also)
        made.made_for = crawler
        return made

    def spider(self, spider_class: type[Spider], arguments: Mapping[str, Any]) -> Spider:
        """Make the spider, and what else may change the settings. Raises UsageError, and what the user's code does."""
        crawler = self.crawler
        crawler.make_stats()
        spider = spider_class.from_crawler(crawler, *crawler.positional, **arguments)
        if not isinstance(spider, Spider):
            raise UsageError(
                f"{spider_class.__qualname__}.from_crawler must return the spider, but returned {spider!r}"
            )
        if getattr(spider, "crawler", None) is not crawler:
            spider.bind(crawler)
        crawler.spider = spider
        crawler._apply_settings()
        crawler.engine = Engine(crawler)
        also = {"QUEUE_ORDER": queue_order(crawler.settings)} | chain.laid_over(crawler) | feeds.laid_over(crawler)
        also |= policies.also(crawler.settings) | memusage.laid_over(crawler)
        self.settings = self.loaded(crawler, _attributes(spider) | also)
        if (said := line()) is not None:
            logger.info("%s", said)
        return spider

    def middlewares(self) -> list[Any]:
        """Make the middlewares, the project's inside of those that only we know."""
        watched = {signals.headers_received, signals.bytes_received} & self.crawler.telling.heard
        watching = [Watching(self.crawler)] if watched else []
        return [*super().middlewares(), *chain.make(self.crawler), *watching]

    def start(self, spider: Spider) -> Callable[[], Any]:
        """Return what yields the first requests, behind the spider middlewares."""
        between = self._between()
        # A prompt gives it another start().
        return lambda: until_idle(self.crawler, process_start(spider.start, between, spider))

    def around(self) -> Around:
        """Make what gives a callback what it has in Scrapy, spider middlewares included."""
        between = self._between()
        spider = self.crawler.spider
        return AroundCallbacks(spider) if between is None else AroundMiddlewares(spider, between)

    def log(self, *, part: bool) -> None:
        """Let lines be logged in the words of the LogFormatter."""
        lines.log(self.crawler, self.settings, part=part)

    def _between(self) -> list[Any] | None:
        """Make the spider middlewares, once, as each may connect to signals; None: none stands in the path."""
        crawler = self.crawler
        if crawler.settings["SPIDER_MIDDLEWARES"] and "SPIDER_MIDDLEWARES" not in crawler.made:
            made(crawler, "SPIDER_MIDDLEWARES")
        return crawler.made["SPIDER_MIDDLEWARES"] if policies.in_path(crawler.settings) else None

    def stages(self) -> list[Any]:
        """Make the item pipelines, behind the stages that our own words name."""
        crawler = self.crawler
        in_thread = crawler.settings.getbool("ITEM_PIPELINES_IN_THREADS")
        own = stages(partial(made, crawler, "ITEM_PIPELINES"), crawler.spider, in_thread=in_thread)
        return [*super().stages(), *own]

    def filters(self, spider: Spider) -> list[RequestFilter]:
        """Make the filters that requests pass, in their order."""
        filters = policies.filters_within(super().filters(spider), self.crawler.settings)
        filters = keys.filters_within(filters, self.crawler)
        return [CountDepth(self.crawler), *filters, Scheduled(self.crawler)]

    def acceptance(self, spider: Spider) -> Acceptance:
        """Make what judges each request that is yielded, and knows it again."""
        seen = self.crawler.telling.seen = Seen(self.crawler, checked_fingerprint(self.settings.core.FINGERPRINT))
        filters = [*self.filters(spider), seen] if seen.own else self.filters(spider)
        return make_acceptance(self.settings, filters, fingerprint=seen.fingerprint, redirects_as_new=True)

    def start_marks(self) -> Marks:
        """Make what keeps nothing: who asks for a page first has it."""
        return NoMarks()

    def opened(self) -> Callable[[], Any]:
        """Return what tells that the crawl is open."""
        return self.crawler.telling.opened

    def closed(self) -> Callable[[str], Any]:
        """Return what tells that it is closed."""
        return self.crawler.telling.closed

    def count(self) -> None:
        """Let the stats count what happens, as Scrapy's do."""
        ScrapyCounts(self.crawler).subscribe(self.crawler.events)

    def scope(self, spider: Spider) -> RequestFilter:
        """Make the filter that judges hosts by the spider's ``allowed_domains``."""
        return policies.scope(spider)

    def rules(self, spider: Spider) -> Rules:
        """Return the policies' rules, as far as they are not the middlewares'."""
        rules = policies.rules_within(super().rules(spider), self.crawler.settings)
        return chain.rules_within(rules, self.crawler)


def _with_feeds(command_line: Mapping[str, Any], settings: BaseSettings) -> Mapping[str, Any]:
    """Return the command line with the project's FEEDS beside those of -o and -O, as Scrapy writes both."""
    feeds = command_line.get("FEEDS")
    if not feeds or not isinstance(feeds, Mapping) or isinstance(feeds, OnlyFeeds):
        return command_line
    return {**command_line, "FEEDS": {**feeds, **settings.getdict("FEEDS")}}


def _attributes(spider: Spider) -> dict[str, Any]:
    """Return the settings that stand as attributes on a spider or its class."""
    there = ((name, setting) for name, setting in OLD_SETTINGS.items() if setting not in THEIRS)
    values = {setting: getattr(spider, name, None) for name, setting in there}
    return {setting: value for setting, value in values.items() if value is not None and not callable(value)}
