"""What do a project's components know of the crawl that they are part of? Scrapy's ``scrapy.crawler``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from crawler.scrapy.settings import Settings
from crawler.spider import Crawler as NativeCrawler
from crawler.spider import Spider

ToldUs = tuple[Mapping[str, Any], Mapping[str, Any], Callable[[], Iterable[Any]] | None]
"""What was given in our own words: by a script, on the command line; and the classes that declare settings."""


class Crawler(NativeCrawler):
    """One crawl of a Scrapy spider: its settings are Scrapy's, with the spider's in them.

    Raises ValueError for a spider that is no class.
    """

    settings: Any

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
        self.crawling = False
        spidercls.update_settings(self.settings)

    def anew(self) -> Crawler:
        """Return a Crawler of the same spider and settings that has not been used."""
        made = type(self)(self.spidercls, self.given)
        made.told_us = self.told_us
        return made
