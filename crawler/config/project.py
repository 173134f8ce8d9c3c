"""Which project is this, and which spiders does it have?

A project is the nearest folder, from the current one upwards, with ``settings.py`` and ``spiders/``.
It is put first on sys.path. Its spiders are the classes with a name in the modules of SPIDER_MODULES.
"""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

from crawler.config.components import declared_by
from crawler.config.importing import TO_IMPORT, classes_in, import_user_file, import_user_module, is_taken, put_first
from crawler.config.nearest import did_you_mean
from crawler.config.settings import Settings
from crawler.errors import SettingError, SpiderImportError, SpiderNotFound, UsageError

Kind = TypeVar("Kind", bound=type)


class FoundSpiders(NamedTuple):
    """The spiders by name. ``broken`` says what is wrong with the others, by the name of a module that does not
    import, or by a name that two spiders share.
    """

    spiders: dict[str, type]
    broken: dict[str, UsageError]

    def problem(self) -> UsageError:
        """Return one error that tells of all that are broken."""
        problems = list(self.broken.values())
        return problems[0] if len(problems) == 1 else SpiderImportError("\n".join(map(str, problems)))


class Project:
    """A folder with settings.py and spiders/; ``settings`` is the imported settings.py, or what stands for it.

    ``usual_spider`` stands for a spider where none is chosen, if one is needed there. ``notes`` are sentences that are
    to be told to the user.
    """

    settings: ModuleType | Mapping[str, Any]
    usual_spider: type | None = None

    def __init__(self, root: Path) -> None:
        self.root = root
        self.notes: list[str] = []
        put_first(root)
        try:
            self.settings = import_user_module("settings")
        except SpiderImportError as error:
            raise SettingError(str(error)) from error

    def __repr__(self) -> str:
        return f"<Project {self.root}>"

    def spiders(self, base: type, *, modules: str | None = None) -> FoundSpiders:
        """Import the spider modules and return the spiders: subclasses of ``base`` that have a name.

        ``modules``: SPIDER_MODULES as given on the command line. Raises SettingError.
        """
        given = {"SPIDER_MODULES": modules} if modules else {}
        in_file = {name: value for name, value in vars(self.settings).items() if name == "SPIDER_MODULES"}
        return spiders_of_modules(Settings.load(in_file, command_line=given).core.SPIDER_MODULES, base)

    def of_its_kind(self, spider: Kind) -> Kind:
        """Return a spider of the crawler's own as one that speaks as the project's do."""
        return spider

    def in_its_words(self, template: str) -> str:
        """Return the template of a spider of the crawler's own as one whose imports are those of the project's."""
        return template

    def place_of_spiders(self) -> tuple[str, Path]:
        """Return the package that new spiders go to, and its folder."""
        return "spiders", self.root / "spiders"

    def declaring_classes(self) -> Iterator[type]:
        """Yield the classes of the project's modules that declare settings, whether or not they are in use."""
        for name in ("pipelines", "spiders"):
            if (self.root / name).is_dir():
                list(modules_in(name, {}))
        for module in list(sys.modules.values()):
            file = vars(module).get("__file__")
            if file is None or self.root not in Path(file).parents or "site-packages" in Path(file).parts:
                continue
            for member in classes_in(module):
                if declared_by(member):
                    yield member


def find_project(start: Path) -> Path | None:
    """Return the nearest folder, from ``start`` upwards, that is a project."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / "settings.py").is_file() and (folder / "spiders").is_dir():
            return folder
    return None


def spiders_of_modules(names: Iterable[str], base: type, *, last_wins: bool = False) -> FoundSpiders:
    """Import modules and all that is in them; return the spiders there: subclasses of ``base`` that have a name.

    Of two that share one ``broken`` tells; neither is among the spiders, unless ``last_wins``.
    """
    found: dict[str, type] = {}
    broken: dict[str, UsageError] = {}
    twice: dict[str, UsageError] = {}
    for name in names:
        for module in modules_in(name, broken):
            for spider in spiders_in(module, base):
                _add(found, spider, twice)
            if hint := _of_scrapy(module):
                broken[module.__name__.rpartition(".")[2]] = SpiderNotFound(f"in {module.__name__}, {hint}")
    chosen = {name: found[name] for name in sorted(found) if last_wins or name not in twice}
    return FoundSpiders(chosen, broken | twice)


def spiders_in(module: ModuleType, base: type) -> list[type]:
    """Return the spiders that a module defines, in the order of the file."""
    return [spider for spider in classes_in(module) if issubclass(spider, base) and _name_of(spider)]


def pick(found: FoundSpiders, name: str) -> type:
    """Return the spider of that name.

    Raises SpiderNotFound with the nearest name, or the error of the modules that may have it and do not import.
    """
    if name in found.spiders:
        return found.spiders[name]
    if found.broken:
        raise found.broken.get(name) or found.broken.get(name.replace("-", "_")) or found.problem()
    known = f"; there are {', '.join(found.spiders)}" if found.spiders else "; there is none in SPIDER_MODULES"
    raise SpiderNotFound(f'no spider is named "{name}"{did_you_mean(name, found.spiders) or known}')


def spider_in_file(file: str, base: type, project: Project | None) -> type:
    """Return the spider of ``FILE.py``, or of ``FILE.py:NAME`` where a file has several.

    A file of the project is imported under its name there, so that it is never there twice.
    Raises SpiderImportError or SpiderNotFound.
    """
    path_text, _, name = file.partition(":") if not Path(file).exists() else (file, "", "")
    path = Path(path_text).resolve()
    if project is not None and path.is_file() and project.root in path.parents and path.suffix == ".py":
        parts = path.relative_to(project.root).with_suffix("").parts
        by_name = all(map(str.isidentifier, parts)) and not is_taken(parts[0])
        module = import_user_module(".".join(parts)) if by_name else import_user_file(path)
    else:
        module = import_user_file(path)
    found = {_name_of(spider): spider for spider in spiders_in(module, base)}
    if not found:
        raise SpiderNotFound(f"{path_text} has no spider: {_of_scrapy(module) or 'no subclass of Spider with a name'}")
    if name:
        return pick(FoundSpiders(found, {}), name)
    if len(found) > 1:
        first = next(iter(found))
        raise SpiderNotFound(
            f"{path_text} has several spiders: {', '.join(found)}; choose one with {path_text}:{first}"
        )
    return next(iter(found.values()))


def _of_scrapy(module: ModuleType) -> str:
    """Return what is to be done about the spiders of a module that are Scrapy's; nothing if it has none."""
    for member in classes_in(module):
        if _name_of(member) and any(base.__module__.partition(".")[0] == "scrapy" for base in member.__mro__):
            return f"{member.__name__} is one of Scrapy's; {TO_IMPORT}"
    return ""


def _name_of(spider: type) -> str:
    name = getattr(spider, "name", "")
    return name if isinstance(name, str) else ""


def modules_in(name: str, broken: dict[str, UsageError]) -> Iterator[ModuleType]:
    """Yield the module and, if it is a package, all modules in it; those that do not import go to ``broken``."""
    try:
        module = import_user_module(name)
    except SpiderImportError as error:
        broken[name.rpartition(".")[2]] = error
        return
    yield module
    for found in pkgutil.iter_modules(getattr(module, "__path__", [])):
        if not found.name.startswith("__"):
            yield from modules_in(f"{name}.{found.name}", broken)


def _add(found: dict[str, type], spider: type, twice: dict[str, UsageError]) -> None:
    name = _name_of(spider)
    other, found[name] = found.get(name, spider), spider
    if other is not spider:
        places = f"{other.__module__}.{other.__name__} and {spider.__module__}.{spider.__name__}"
        twice[name] = UsageError(f'two spiders are named "{name}": {places}')
