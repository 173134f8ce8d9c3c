"""How do a spider's class and its settings become the parts of a crawl?

The native way; the dialect of a crawl is that of its spider's class, which names a module that has a ``Making``
of its own (``Spider._making``). The other modules of this room ask the Making, and know no dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from crawler.assembly.components import make_component, make_components, make_spider, subscribe_extension
from crawler.assembly.rules import make_acceptance, make_filters, make_rules, make_scope
from crawler.config.settings import Settings
from crawler.engine.deciding.acceptance import Acceptance, Marks
from crawler.engine.user_code.around import Around
from crawler.errors import UsageError
from crawler.observe.lines import subscribe_lines
from crawler.observe.stats import subscribe_stats
from crawler.policy.outcome import Rules
from crawler.spider import Crawler, Spider
from crawler.storage.memory import SeenSet
from crawler.threads import Pools

if TYPE_CHECKING:
    from types import ModuleType

    from crawler.policy.scope import RequestFilter


class Making:
    """What makes the parts of one crawl, in the order of its methods.

    ``settings`` are the crawler's own, typed. They are final once ``spider()`` has returned: a dialect's spider may
    still change its settings while it is made.
    """

    settings: Settings
    crawler: Crawler

    def __init__(self, settings: Settings, pools: Pools | None = None) -> None:
        self.settings = settings
        self.crawler = Crawler(settings=settings)
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
        """Gather the settings of all layers, before anything is made. Raises SettingError."""
        return Settings.load(project, spider, command_line, script=script, also=also)

    @classmethod
    def with_spider(cls, settings: Settings, spider: type[Spider]) -> Settings:
        """Return settings that a script made for the crawls of a spider. Raises SettingError."""
        return settings.with_spider(spider)

    def spider(self, spider_class: type[Spider], arguments: Mapping[str, Any]) -> Spider:
        """Make the spider; ``crawler.spider`` is it from then on. Raises UsageError."""
        self.crawler.spider = spider = make_spider(spider_class, self.crawler, arguments)
        return spider

    def stages(self) -> list[Any]:
        """Make the stages that items go through."""
        return make_components(self.settings.core.PIPELINES, self.crawler, self.settings)

    def middlewares(self) -> list[Any]:
        """Make the middlewares around the downloader, outermost first."""
        return [self.component(each) for each in self.settings.core.MIDDLEWARES]

    def filters(self, spider: Spider) -> list[RequestFilter]:
        """Make the filters that requests pass, in their order."""
        own = make_components(self.settings.core.REQUEST_FILTERS, self.crawler, self.settings)
        return make_filters(self.settings, self.scope(spider), own)

    def scope(self, spider: Spider) -> RequestFilter:
        """Make the filter that judges hosts by the spider's ``allowed_domains``."""
        return make_scope(spider)

    def acceptance(self, spider: Spider) -> Acceptance:
        """Make what judges each request that is yielded."""
        return make_acceptance(self.settings, self.filters(spider))

    def rules(self, spider: Spider) -> Rules:
        """Return the policies' rules."""
        return make_rules(self.settings, spider)

    def component(self, component: Any) -> Any:
        """Make one component from its class: a downloader, or a middleware."""
        return make_component(component, self.crawler, self.settings)

    def start(self, spider: Spider) -> Callable[[], Any]:
        """Return what yields the first requests; a prompt gives the spider another start() after it was made."""
        return lambda: spider.start()

    def around(self) -> Around | None:
        """Make what stands between a callback and the engine, which takes its results."""
        return None

    def start_marks(self) -> Marks:
        """Make what keeps which pages start() has asked for: another callback may ask for one of them once more."""
        return SeenSet()

    def opened(self) -> Callable[[], Any] | None:
        """Return what is called, and waited for, when everything is open."""
        return None

    def closed(self) -> Callable[[str], Any] | None:
        """Return what is called at the end in the place of the spider's ``closed(reason)``."""
        return None

    def count(self) -> None:
        """Let the stats count what happens."""
        subscribe_stats(self.crawler.events, self.crawler.stats)

    def log(self, *, part: bool) -> None:
        """Let lines be logged of what happens; ``part``: of one worker of a crawl."""
        subscribe_lines(self.crawler.events, part=part)

    def extend(self) -> None:
        """Make the extensions, and let them subscribe; the crawl can be acted on by then."""
        for extension in make_components(self.settings.core.EXTENSIONS, self.crawler, self.settings):
            subscribe_extension(extension, self.crawler)


def making_of(spider_class: type[Spider]) -> type[Making]:
    """Return the Making of a spider's dialect. Raises UsageError for what is no spider."""
    if not (isinstance(spider_class, type) and issubclass(spider_class, Spider)):
        raise UsageError(f"crawl() takes a class derived from Spider, got {spider_class!r}")
    making: type[Making] = import_module(spider_class._making).Making
    return making


def make(
    spider_class: type[Spider], settings: Settings, arguments: Mapping[str, Any], pools: Pools | None = None
) -> Making:
    """Return the Making of a crawl that has made its spider. Raises UsageError, and what the user's code raises."""
    making = making_of(spider_class)(settings, pools)
    making.spider(spider_class, arguments)
    return making


def load_settings(spider_class: type[Spider], settings: Settings | Mapping[str, Any] | None) -> Settings:
    """Return the settings of a crawl, from what crawl() was given. Raises UsageError."""
    making = making_of(spider_class)
    if not isinstance(settings, Mapping | None):
        raise UsageError(f"settings must be a dict or Settings, got {type(settings).__name__}: {settings!r}")
    if isinstance(settings, Settings):
        return making.with_spider(settings, spider_class)
    return making.load(None, spider_class, script=settings or {})
