"""What do a project's components know of the crawl that they are part of?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, TypeVar
from weakref import WeakSet

from crawler.errors import SettingError
from crawler.scrapy.adapters.components import build, loaded, made
from crawler.scrapy.adapters.events import Telling
from crawler.scrapy.addons import AddonManager
from crawler.scrapy.settings import Settings
from crawler.scrapy.signalmanager import SignalManager
from crawler.scrapy.statscollectors import StatsCollector
from crawler.spider import Crawler as NativeCrawler
from crawler.spider import Spider, anywhere

T = TypeVar("T")
ToldUs = tuple[Mapping[str, Any], Mapping[str, Any], Callable[[], Iterable[Any]] | None]
"""What was given in our own words: by a script, on the command line; and the classes that declare settings."""


class Crawler(NativeCrawler):
    """One crawl of a Scrapy spider: its settings are Scrapy's, with the spider's in them.

    ``made`` has the components of each setting that lists some. Raises ValueError for a spider that is no class.
    """

    settings: Any
    signals: Any = None
    engine: Any = None
    stats: Any
    logformatter: Any = None
    request_fingerprinter: Any = None
    extensions: Any = None
    """Scrapy's list of extensions: ``extensions.middlewares``; None until they are made."""

    def __init__(
        self,
        spidercls: type[Spider],
        settings: Mapping[str, Any] | Settings | None = None,
        init_reactor: bool = False,
    ) -> None:
        if not isinstance(spidercls, type):
            raise ValueError(f"The spidercls argument must be a class, not an object: {spidercls!r}")
        given = settings if isinstance(settings, Settings) else Settings(settings)
        super().__init__(settings=given.copy())  # type: ignore[arg-type]  # ours are made of it for the engine
        self.spidercls = spidercls
        self.given = given
        self.told_us: ToldUs = {}, {}, None
        self.positional: tuple[Any, ...] = ()
        self.made: dict[str, list[Any]] = {}
        self.addons = AddonManager(self)
        self.crawling = False
        self.telling = Telling(self)
        self.hears = self.telling.hears
        self.signals = SignalManager(self)
        self.inline: WeakSet[Any] = WeakSet()  # requests that Scrapy's scheduler would never see
        spidercls.update_settings(self.settings)

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def crawl(self, *args: Any, **kwargs: Any) -> Any:
        """Run the crawl on the reactor that is installed; the rest are the spider's arguments.

        Return a Deferred that fires when it has ended. Raises RuntimeError when called again.
        """
        done = import_module("crawler.scrapy.adapters.runners").crawl(self, args, kwargs)
        return done.addCallback(lambda summary: None)

    async def crawl_async(self, *args: Any, **kwargs: Any) -> None:
        """Run the crawl, and wait for its end."""
        await anywhere(self.crawl(*args, **kwargs))

    async def stop_async(self) -> None:
        """Let what is in flight finish, and end."""
        if self.crawling and self.running is not None:
            self.stop()

    def anew(self) -> Crawler:
        """Return a Crawler of the same spider and settings that has not been used."""
        made = type(self)(self.spidercls, self.given)
        made.told_us, made.positional = self.told_us, self.positional
        return made

    def _apply_settings(self) -> None:
        """Make what may still change the settings, or is made of them; then they are frozen. Once.

        Raises SettingError, and what the user's code raises.
        """
        settings = self.settings
        if settings.frozen:
            return
        self.make_stats()
        self.addons.load_settings(settings)
        self.logformatter = self._built("LOG_FORMATTER")
        self.request_fingerprinter = self._built("REQUEST_FINGERPRINTER_CLASS")
        self.extensions = Made(made(self, "EXTENSIONS"))
        settings.freeze()

    def make_stats(self) -> None:
        """Make what STATS_CLASS names, once. Raises SettingError for what is not derived from Scrapy's."""
        if not isinstance(self.stats, StatsCollector):
            self.stats = self._built("STATS_CLASS")
            if not isinstance(self.stats, StatsCollector):
                kind = type(self.stats).__qualname__
                raise SettingError(f"STATS_CLASS: derive {kind} from scrapy.statscollectors.StatsCollector")

    def _built(self, setting: str) -> Any:
        made = loaded(self.settings[setting], setting)
        return made(self) if setting == "STATS_CLASS" else build(made, self)

    def fetch(self, request: Any) -> Any:
        """Send one request through the frontier and give its response."""
        self.inline.add(request)
        return super().fetch(request)

    def get_addon(self, cls: type[T]) -> T | None:
        """Return the add-on of that class or one derived from it, None if there is none."""
        return _one(cls, self.addons.addons)

    def get_downloader_middleware(self, cls: type[T]) -> T | None:
        """Return the middleware of that class; raises RuntimeError before it is made."""
        return _one(cls, self._made("DOWNLOADER_MIDDLEWARES"))

    def get_extension(self, cls: type[T]) -> T | None:
        """Return the extension of that class; raises RuntimeError before it is made."""
        if self.extensions is None:
            raise RuntimeError("extensions are made when the crawl starts: ask from the signal spider_opened on")
        return _one(cls, self.extensions.middlewares)

    def get_item_pipeline(self, cls: type[T]) -> T | None:
        """Return the pipeline of that class; raises RuntimeError before it is made."""
        return _one(cls, self._made("ITEM_PIPELINES"))

    def get_spider_middleware(self, cls: type[T]) -> T | None:
        """Return the middleware of that class; raises RuntimeError before it is made."""
        return _one(cls, self._made("SPIDER_MIDDLEWARES"))

    def _made(self, setting: str) -> list[Any]:
        if self.running is None:
            raise RuntimeError(f"{setting} are made when the crawl starts: ask from the signal spider_opened on")
        return self.made.get(setting, [])


class Made:
    """Components under the name by which Scrapy's lists of them have them."""

    def __init__(self, middlewares: list[Any]) -> None:
        self.middlewares = middlewares


def _one(cls: type[T], components: Iterable[Any]) -> T | None:
    return next((each for each in components if isinstance(each, cls)), None)
