"""Which scrapy.cfg counts here, and what do lists of components and options of feeds come to?"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, MutableMapping
from configparser import ConfigParser
from numbers import Real
from pathlib import Path
from typing import Any

from crawler.config.cfg import MODULE_VARIABLE, closest_cfg, sources
from crawler.scrapy.exceptions import UsageError


def build_component_list(
    compdict: MutableMapping[Any, Any], *, convert: Callable[[Any], Any] = lambda c: c
) -> list[Any]:
    """Return the components of a dict ``component: number`` in order, without those whose number is None.

    Raises ValueError for a value that is no number, and for two keys that ``convert`` to one component.
    """
    for name, value in compdict.items():
        if value is not None and not isinstance(value, Real):
            raise ValueError(
                f"Invalid value {value} for component {name}, please provide a real number or None instead"
            )
    priority = getattr(compdict, "getpriority", lambda name: 0)
    chosen: dict[Any, tuple[Any, Any]] = {}
    for name, value in compdict.items():
        component = convert(name)
        if component not in chosen or chosen[component][0] < priority(name):
            chosen[component] = priority(name), value
        elif chosen[component][0] == priority(name):
            raise ValueError(
                f"Some paths in {list(compdict)!r} convert to the same object, please update your settings"
            )
    numbers = {component: value for component, (_, value) in chosen.items() if value is not None}
    return sorted(numbers, key=lambda component: numbers[component])


def arglist_to_dict(arglist: list[str]) -> dict[str, str]:
    """Return ``["a=1", "b=2"]`` as a dict. Raises ValueError for one without "="."""
    return dict(text.split("=", 1) for text in arglist)


def closest_scrapy_cfg(path: str | os.PathLike[str] = ".", prevpath: str | os.PathLike[str] | None = None) -> str:
    """Return the nearest scrapy.cfg from a folder upwards, "" if there is none."""
    return str(closest_cfg(Path(path)) or "") if prevpath is None or str(path) != str(prevpath) else ""


def get_sources(use_closest: bool = True) -> list[str]:
    """Return the files that are read as scrapy.cfg."""
    found = sources(Path.cwd() if use_closest else None)
    return found + [""] * (use_closest and not closest_scrapy_cfg())


def configuration(start: Path | None) -> ConfigParser:
    """Return what stands in the files that count in a folder. Raises configparser.Error."""
    read = ConfigParser()
    read.read(sources(start), encoding="utf-8")
    return read


def get_config(use_closest: bool = True) -> ConfigParser:
    """Return what stands in them."""
    return configuration(Path.cwd() if use_closest else None)


def init_env(project: str = "default", set_syspath: bool = True) -> None:
    """Put the name of the settings module into the environment, and the project's root on sys.path."""
    config = get_config()
    if MODULE_VARIABLE not in os.environ and config.has_option("settings", project):
        os.environ[MODULE_VARIABLE] = config.get("settings", project)
    closest = closest_scrapy_cfg()
    if closest and set_syspath and str(Path(closest).parent) not in sys.path:
        sys.path.append(str(Path(closest).parent))


def feed_process_params_from_cli(
    settings: Any, output: list[str], *, overwrite_output: list[str] | None = None
) -> dict[str, dict[str, Any]]:
    """Return what -o or -O say, ``FILE`` or ``FILE:FORMAT``, as FEEDS. Raises UsageError."""
    formats = [name for name, path in settings.getwithbase("FEED_EXPORTERS").items() if path is not None]
    if output and overwrite_output:
        raise UsageError("Please use only one of -o/--output and -O/--overwrite-output")
    feeds: dict[str, dict[str, Any]] = {}
    for element in overwrite_output or output:
        uri, format_ = _split(element, formats)
        feeds[uri] = {"format": format_, **({"overwrite": True} if overwrite_output else {})}
    return {**feeds, **settings.getdict("FEEDS")}


def _split(element: str, formats: Iterable[str]) -> tuple[str, str]:
    uri, colon, format_ = element.rpartition(":")
    if colon and format_ in formats:
        return ("stdout:" if uri == "-" else uri), format_
    format_ = Path(element).suffix.replace(".", "")
    if format_ not in formats:
        raise UsageError(
            f"Unrecognized output format '{format_}': one of {', '.join(formats)} is expected, as the file's extension "
            "or after a colon, -o FILE:FORMAT"
        )
    return element, format_
