"""Which project of Scrapy's is here, and what are its settings, for code that asks as Scrapy's does?"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from crawler.config.cfg import MODULE_VARIABLE
from crawler.scrapy.exceptions import NotConfigured
from crawler.scrapy.settings import Settings
from crawler.scrapy.utils.conf import closest_scrapy_cfg, get_config, init_env

ENVVAR = MODULE_VARIABLE
DATADIR_CFG_SECTION = "datadir"
_VARIABLES = ("CHECK", "PROJECT", "PYTHON_SHELL", "SETTINGS_MODULE")


def get_project_settings() -> Settings:
    """Return the settings of the project that the current folder is in."""
    init_env(os.environ.get("SCRAPY_PROJECT", "default"))
    name = os.environ.get(ENVVAR)
    return settings_of(import_module(name) if name else None)


def settings_of(project: ModuleType | Mapping[str, Any] | None) -> Settings:
    """Return Scrapy's defaults, what a settings module sets, and what the environment says; Settings are copied."""
    if isinstance(project, Settings):
        return project.copy()
    settings = Settings()
    if isinstance(project, ModuleType):
        settings.setmodule(project, priority="project")
    given = {name: os.environ[f"SCRAPY_{name}"] for name in _VARIABLES if f"SCRAPY_{name}" in os.environ}
    settings.setdict({**(project if isinstance(project, Mapping) else {}), **given}, priority="project")
    return settings


def inside_project() -> bool:
    """Tell whether the current folder is in a project, or the environment names a settings module that imports."""
    if name := os.environ.get(ENVVAR):
        try:
            import_module(name)
        except ImportError as error:
            warnings.warn(f"Cannot import scrapy settings module {name}: {error}", stacklevel=2)
        else:
            return True
    return bool(closest_scrapy_cfg())


def project_data_dir(project: str = "default") -> str:
    """Return the folder of the project's data, made if need be: ``.scrapy`` beside scrapy.cfg. Raises NotConfigured."""
    if not inside_project():
        raise NotConfigured("Not inside a project")
    config = get_config()
    if config.has_option(DATADIR_CFG_SECTION, project):
        folder = Path(config.get(DATADIR_CFG_SECTION, project))
    elif closest := closest_scrapy_cfg():
        folder = (Path(closest).parent / ".scrapy").resolve()
    else:
        raise NotConfigured("Unable to find scrapy.cfg file to infer project data dir")
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)


def data_path(path: str | os.PathLike[str], createdir: bool = False) -> str:
    """Return a path in the folder of the project's data; an absolute one as it is."""
    found = Path(path)
    if not found.is_absolute():
        found = Path(project_data_dir(), path) if inside_project() else Path(".scrapy", path)
    if createdir:
        found.mkdir(parents=True, exist_ok=True)
    return str(found)
