"""Which project of Scrapy's is this, and which spiders does it have?

Its root is the nearest folder, from the current one upwards, with a ``scrapy.cfg``; the settings module is the one that
``[settings]`` names there, in the user's or in the machine's ``scrapy.cfg``, or SCRAPY_SETTINGS_MODULE; SCRAPY_PROJECT
chooses one of several (Scrapy's docs, "Command line tool").
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from configparser import Error as ConfigError
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from crawler.config.cfg import CFG, MODULE_VARIABLE, closest_cfg
from crawler.config.importing import import_user_module, near, put_first
from crawler.config.project import FoundSpiders, Kind, Project, spiders_of_modules
from crawler.errors import SettingError, SpiderImportError
from crawler.scrapy.adapters.finder import join_crawler, open_door
from crawler.scrapy.addons import AddonManager
from crawler.scrapy.settings import Settings
from crawler.scrapy.spiderloader import is_default, spider_modules
from crawler.scrapy.spiders import Spider
from crawler.scrapy.utils.conf import configuration
from crawler.scrapy.utils.misc import load_object
from crawler.scrapy.utils.project import settings_of

_NATIVE_IMPORT = re.compile("from crawler import (.*)")
_IMPORTS = {
    "Spider": "from scrapy import Spider",
    "CrawlSpider": "from scrapy.linkextractors import LinkExtractor\nfrom scrapy.spiders import CrawlSpider, Rule",
    "CSVFeedSpider": "from scrapy.spiders import CSVFeedSpider",
    "XMLFeedSpider": "from scrapy.spiders import XMLFeedSpider",
}
"""What the templates of spiders import here, by the first name that they import of ours."""


class ScrapyProject(Project):
    """A folder with scrapy.cfg; ``settings`` is its settings module, an empty one where none is named.

    Raises SettingError for a settings module that is not there or does not import.
    """

    usual_spider = Spider

    def __init__(self, root: Path, module: str | None, named_by: str) -> None:
        self.root = root
        open_door()
        put_first(root)
        self.notes = join_crawler(root)
        self.settings = _in_place_of[-1] if _in_place_of else _settings_module(module, named_by)

    def read(self) -> Settings:
        """Return the settings of the project as Scrapy has them, its add-ons' changes included."""
        settings = settings_of(self.settings)
        AddonManager.load_pre_crawler_settings(settings)
        return settings

    def of_its_kind(self, spider: Kind) -> Kind:
        """See Project."""
        return cast(Kind, type(spider.__name__, (spider, Spider), {"__module__": spider.__module__}))

    def in_its_words(self, template: str) -> str:
        """See Project."""
        return _NATIVE_IMPORT.sub(lambda found: _IMPORTS[found[1].partition(",")[0]], template)

    def place_of_spiders(self) -> tuple[str, Path]:
        """See Project; NEWSPIDER_MODULE names it."""
        package = str(self.read()["NEWSPIDER_MODULE"] or "spiders")
        try:
            spec = find_spec(package)
        except ImportError:
            spec = None
        places = list(spec.submodule_search_locations or ()) if spec is not None else []
        if not places:
            raise SettingError(f"NEWSPIDER_MODULE names the package {package}, which is not there")
        return package, Path(places[0])

    def spiders(self, base: type, *, modules: str | None = None) -> FoundSpiders:
        """Return the spiders that the project's SPIDER_LOADER_CLASS finds: subclasses of ``base`` that have a name.

        What is wrong with some is a warning where SPIDER_LOADER_WARN_ONLY is set; then of two that share a name the
        later one is taken, as Scrapy does. ``modules``: SPIDER_MODULES as given on the command line.
        """
        settings = self.read()
        if modules:
            settings.set("SPIDER_MODULES", modules, priority="cmdline")
        loader_class = load_object(settings["SPIDER_LOADER_CLASS"])
        if not is_default(loader_class):
            loader = loader_class.from_settings(settings)
            return FoundSpiders({name: loader.load(name) for name in loader.list()}, {})
        warn_only = settings.getbool("SPIDER_LOADER_WARN_ONLY")
        found = spiders_of_modules(spider_modules(settings), base, last_wins=warn_only)
        if not warn_only:
            return found
        self.notes += map(str, found.broken.values())
        return found._replace(broken={})


_in_place_of: list[Mapping[str, Any]] = []


@contextmanager
def in_place_of(settings: Mapping[str, Any] | None) -> Iterator[None]:
    """Let a project be found with these settings in the place of those of its settings module."""
    _in_place_of.extend([settings] if settings is not None else [])
    try:
        yield
    finally:
        _in_place_of.clear()


def scrapy_project(start: Path, native: Path | None = None) -> ScrapyProject | None:
    """Return the project of Scrapy's that a folder is in, None if it is in none.

    ``native``: the root of a project of the crawler's own above ``start``. It is taken if it is nearer, and no package
    of the other: a package's settings.py and spiders/ are what Scrapy's projects have inside. Raises SettingError.
    """
    cfg = closest_cfg(start)
    module = os.environ.get(MODULE_VARIABLE)
    if cfg is None and module is None and native is not None:
        return None
    root = cfg.parent if cfg is not None else start.resolve()
    if native is not None and module is None and root in native.parents and not (native / "__init__.py").exists():
        return None
    open_door()
    named_by = MODULE_VARIABLE
    if module is None:
        module = _configured(start)
        named_by = f"{CFG} ([settings])"
    return ScrapyProject(root, module, named_by) if cfg is not None or module is not None else None


def _configured(start: Path) -> str | None:
    """Return the settings module that scrapy.cfg names for SCRAPY_PROJECT. Raises SettingError."""
    try:
        read = configuration(start)
        names: Mapping[str, str] = dict(read.items("settings")) if read.has_section("settings") else {}
    except ConfigError as error:
        raise SettingError(f"{CFG} cannot be read: {' '.join(str(error).split())}") from error
    name = os.environ.get("SCRAPY_PROJECT")
    if name and name.lower() not in names:
        known = ", ".join(names) or "none"
        raise SettingError(f'SCRAPY_PROJECT={name}: [settings] of {CFG} has no "{name}" (there are: {known})')
    return names.get((name or "default").lower())


def _settings_module(name: str | None, named_by: str) -> ModuleType:
    if not name:
        return ModuleType("settings")
    try:
        found = find_spec(name) is not None
    except ModuleNotFoundError as error:
        found = not f"{name}.".startswith(f"{error.name}.")  # one that its package imports is told of below
    except Exception:
        found = True
    if not found:
        raise SettingError(
            f"{named_by} names the settings module {name}, which is not there: neither below {near(sys.path[0])} nor "
            "elsewhere on Python's path"
        )
    try:
        return import_user_module(name)
    except SpiderImportError as error:
        raise SettingError(str(error)) from error
