"""Which spiders does a project have, for code that asks as Scrapy's does?"""

from __future__ import annotations

import builtins
import warnings
from typing import Any, Protocol, Self

from crawler.config.project import spiders_of_modules
from crawler.scrapy.utils.misc import load_object
from crawler.spider import Spider


class SpiderLoaderProtocol(Protocol):
    """What a class that SPIDER_LOADER_CLASS names has (Scrapy's docs, "SpiderLoader API")."""

    @classmethod
    def from_settings(cls, settings: Any) -> Self:
        """Make one."""

    def load(self, spider_name: str) -> type[Spider]:
        """Return a spider by name. Raises KeyError."""

    def list(self) -> list[str]:
        """Return the names of all."""

    def find_by_request(self, request: Any) -> builtins.list[str]:
        """Return the names of the spiders that are for a request."""


class SpiderLoader:
    """The spiders in the modules of SPIDER_MODULES.

    Raises what a module raises that does not import, unless SPIDER_LOADER_WARN_ONLY is set. Of two spiders that share a
    name the later one is taken, with a warning, as Scrapy does.
    """

    def __init__(self, settings: Any) -> None:
        self.spider_modules: list[str] = spider_modules(settings)
        self.warn_only: bool = settings.getbool("SPIDER_LOADER_WARN_ONLY")
        found = spiders_of_modules(self.spider_modules, Spider, last_wins=True)
        self._spiders = found.spiders
        for error in found.broken.values():
            if error.__cause__ is not None and not self.warn_only:
                raise error.__cause__
            warnings.warn(str(error), stacklevel=3)

    @classmethod
    def from_settings(cls, settings: Any) -> Self:
        """Make one of the settings of a project."""
        return cls(settings)

    def load(self, spider_name: str) -> type[Spider]:
        """Return a spider by name. Raises KeyError."""
        try:
            return self._spiders[spider_name]
        except KeyError:
            raise KeyError(f"Spider not found: {spider_name}") from None

    def find_by_request(self, request: Any) -> builtins.list[str]:
        """Return the names of the spiders whose domains a request's URL is in."""
        return [name for name, spider in self._spiders.items() if spider.handles_request(request)]  # type: ignore[attr-defined]

    def list(self) -> builtins.list[str]:
        """Return the names of all."""
        return list(self._spiders)


class DummySpiderLoader:
    """Finds no spider."""

    @classmethod
    def from_settings(cls, settings: Any) -> Self:
        """Make one."""
        return cls()

    def load(self, spider_name: str) -> type[Spider]:
        """Raise KeyError."""
        raise KeyError("DummySpiderLoader doesn't load any spiders")

    def list(self) -> builtins.list[str]:
        """Return none."""
        return []

    def find_by_request(self, request: Any) -> builtins.list[str]:
        """Return none."""
        return []


def get_spider_loader(settings: Any) -> Any:
    """Return what SPIDER_LOADER_CLASS makes of the settings."""
    return load_object(settings["SPIDER_LOADER_CLASS"]).from_settings(settings.frozencopy())


def spider_modules(settings: Any) -> list[str]:
    """Return SPIDER_MODULES as a list."""
    return list(settings.getlist("SPIDER_MODULES"))


def is_default(loader: Any) -> bool:
    """Tell whether a class finds spiders as this module does, so that what is wrong with some can be told better."""
    return loader is SpiderLoader
