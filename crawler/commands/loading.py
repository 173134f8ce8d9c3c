"""Which project, spider and settings does this command mean?"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crawler.commands.reading import imports_scrapy
from crawler.commands.showing import say
from crawler.config.cfg import MODULE_VARIABLE, sources
from crawler.config.project import FoundSpiders, Project, find_project, pick, spider_in_file
from crawler.config.schema import CoreSettings
from crawler.config.settings import Settings
from crawler.errors import UsageError
from crawler.model.url import host_of
from crawler.policy.scope import OffsiteFilter
from crawler.spider import Spider


def project_here() -> Project:
    """Return the project the user is in. Raises UsageError if there is none."""
    project = project_if_any()
    if project is None:
        raise UsageError(
            "there is no project here or above: a folder with settings.py and spiders/ "
            "(crawler startproject NAME makes one)"
        )
    return project


def project_if_any(start: Path | None = None) -> Project | None:
    """Return the project of a folder, the current one if not given; None if it is in none. One of Scrapy's is one."""
    start = start or Path.cwd()
    root = find_project(start)
    if MODULE_VARIABLE in os.environ or any(map(os.path.exists, sources(start))):
        from crawler.scrapy.project import scrapy_project

        if (of_scrapy := scrapy_project(start, root)) is not None:
            return _told(of_scrapy)
    return Project(root) if root is not None else None


def _told(project: Project) -> Project:
    while project.notes:
        _warn(project.notes.pop(0))
    return project


def _warn(text: str) -> None:
    first, *others = text.splitlines()  # what does not import; its error is the last of them
    say(f"crawler: warning: {' '.join([first, *others[-1:]])}", err=True)


def spiders_of(project: Project, command_line: Mapping[str, Any]) -> FoundSpiders:
    """Return the project's spiders; SPIDER_MODULES may be set on the command line."""
    found = project.spiders(Spider, modules=command_line.get("SPIDER_MODULES"))
    _told(project)
    return found


def named_spider(project: Project, name: str, command_line: Mapping[str, Any]) -> type[Spider]:
    """Return a spider of the project by name; files that do not import are told of, if it is not in them.

    Raises SpiderNotFound or SpiderImportError.
    """
    found = spiders_of(project, command_line)
    spider: type[Spider] = pick(found, name)
    _tell_broken(found)
    return spider


def _tell_broken(found: FoundSpiders) -> None:
    for error in found.broken.values():
        _warn(str(error))


def file_spider(file: str) -> tuple[type[Spider], Project | None]:
    """Return the spider of a file, and the project the user is in or else the one the file is in."""
    path = Path(file if Path(file).exists() else file.partition(":")[0])
    if path.is_file() and imports_scrapy(path):
        from crawler.scrapy.adapters.finder import open_door

        open_door()
    project = project_if_any() or project_if_any(Path(file.partition(":")[0]).resolve().parent)
    spider: type[Spider] = spider_in_file(file, Spider, project)
    return spider, project


def load_settings(project: Project | None, spider: type[Spider] | None, command_line: Mapping[str, Any]) -> Settings:
    """Return the settings of a crawl. Raises SettingError."""
    values = project.settings if project is not None else None
    also = project.declaring_classes if project is not None else None
    spider = spider or (project.usual_spider if project is not None else None)
    if spider is None:
        return Settings.load(values, None, command_line, also=also)
    from crawler.assembly.making import making_of

    return making_of(spider).load(values, spider, command_line, also=also)


def settings_here(command_line: Mapping[str, Any], spider: str | None = None) -> Settings:
    """Return the settings of the project the user is in, if of one, as a spider of it has them. Raises UsageError."""
    return project_and_settings(command_line, spider)[1]


def project_and_settings(command_line: Mapping[str, Any], spider: str | None = None) -> tuple[Project | None, Settings]:
    """Return the project the user is in, if of one, and its settings, as a spider of it has them. Raises UsageError."""
    project = project_here() if spider else project_if_any()
    spider_class = named_spider(project, spider, command_line) if spider and project else None
    return project, load_settings(project, spider_class, command_line)


def chosen(spider: str, command_line: Mapping[str, Any], *, in_file: bool) -> tuple[type[Spider], Settings]:
    """Return a spider, of a file or by its name in the project, and the settings of its crawl. Raises UsageError."""
    if in_file:
        spider_class, project = file_spider(spider)
    else:
        project = project_here()
        spider_class = named_spider(project, spider, command_line)
    return spider_class, load_settings(project, spider_class, command_line)


def spider_for(
    url: str | None, name: str | None, command_line: Mapping[str, Any], *, otherwise: type[Spider] | None = None
) -> tuple[type[Spider], Project | None]:
    """Return the spider of that name (or FILE.py), or that whose allowed_domains have the URL, and its project.

    ``otherwise``: the spider if none has, or if several have. Raises UsageError.
    """
    if name is not None and ".py" in name:
        return file_spider(name)
    project = project_if_any() if name is None and otherwise is not None else project_here()
    if project is not None and name is not None:
        return named_spider(project, name, command_line), project
    found: dict[str, type[Spider]] = {}
    if project is not None and url is not None:
        there = spiders_of(project, command_line)
        _tell_broken(there)
        found = there.spiders
    fit = [each for each, spider in found.items() if url is not None and _is_for(spider, host_of(url))]
    if len(fit) == 1:
        return found[fit[0]], project
    if otherwise is not None:
        return otherwise if project is None else project.of_its_kind(otherwise), project
    names = ", ".join(fit or found) or "none"
    host = host_of(url) if url is not None else ""
    which = f"several spiders have {host} in their" if fit else f"no spider has {host} in its"
    raise UsageError(f"{which} allowed_domains; say which it is with --spider NAME (there are: {names})")


def _is_for(spider: type[Spider], host: str) -> bool:
    domains = spider.allowed_domains
    return bool(domains) and OffsiteFilter(domains).allows(host)


def usual_folder() -> Path:
    """Return the folder in which commands that are given no setting look for jobs, here."""
    try:
        return Path(settings_here({}).core.JOB_DIR).absolute()
    except UsageError:  # settings that only a spider makes whole
        return Path(CoreSettings().JOB_DIR).absolute()
