"""Which settings of ours follow from those of a Scrapy project?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from crawler.config.layers import CORE_KINDS, Layer
from crawler.config.nearest import misspelt
from crawler.config.settings import Settings
from crawler.dialect import Asked
from crawler.errors import SettingError
from crawler.scrapy.names.table import SCRAPY_NAMES, in_our_words
from crawler.scrapy.names.theirs import REFUSED, THEIRS, UNSET_TOO
from crawler.scrapy.settings import BaseSettings, default_settings

PREFIX: Final = "CRAWLER_"
"""Before a name that only we know, in a project's settings: PROXIES there is the project's own."""

NO_LIMIT: Final = 1_000_000
"""So many requests at once, where Scrapy's 0 means no limit."""

_ORIGINS: Final = {40: "script", 30: "spider", 1: "project", 0: "Scrapy's defaults"}
"""Where a value comes from, by the least priority."""


class FromScrapy(Settings):
    """The crawler's own settings, made of those of a Scrapy project; ``made_for``: the Crawler that has these."""

    made_for: Any

    @classmethod
    def made_of(
        cls,
        settings: BaseSettings,
        *,
        more: Mapping[str, Any] | None = None,
        script: Mapping[str, Any] | None = None,
        command_line: Mapping[str, Any] | None = None,
        also: Callable[[], Iterable[Any]] | None = None,
    ) -> FromScrapy:
        """Return the crawler's own settings; ``more`` are attributes of the spider that count as some.

        ``script`` and ``command_line`` are in the settings, too; there, the names that only we know mean something.

        Raises SettingError for a value that has no counterpart.
        """
        given, warnings = _given(settings, {"script": script or {}, "command line": command_line or {}})
        given["spider"] |= more or {}
        made = cls.__new__(cls)
        made._fill(
            [Layer(origin, values, text=origin == "command line") for origin, values in given.items()],
            components=(),
            also=also,
        )
        made.command_line = dict(command_line or {})
        made.warnings += warnings
        return made


def _given(
    settings: BaseSettings, told_us: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return by origin what means something to the crawler, and what to warn of. Raises SettingError."""
    given: dict[str, dict[str, Any]] = {origin: {} for origin in [*reversed(_ORIGINS.values()), "command line"]}
    given[_ORIGINS[0]]["FAIL_ON"] = ["none"]  # Scrapy's exit status is 0 for a crawl that has begun
    warnings = []
    for name, attribute in settings.attributes.items():
        told = [origin for origin, values in told_us.items() if name in values]
        ours = _ours(name)
        ours_is_meant = told[-1:] == ["command line"] or (told and name not in SCRAPY_NAMES)
        if ours_is_meant and name in CORE_KINDS and name not in THEIRS:
            given[told[-1]][name] = told_us[told[-1]][name]
        elif (
            ours is not None and (attribute.priority > 0 or name in UNSET_TOO) and not _is_unset(name, attribute.value)
        ):
            origin = next(origin for number, origin in _ORIGINS.items() if attribute.priority >= number)
            said, value = told[-1] if told else origin, as_scrapy_reads(settings, name)
            if why := _no_counterpart(Asked(name, value, settings, said)):
                warnings.append(f"{name} ({said}) has no effect here: {why}")
            else:
                given[origin][ours] = value
        elif ours is None and name not in THEIRS and (meant := misspelt(str(name), SCRAPY_NAMES)):
            warnings.append(f'The setting {name} is the project\'s own; did you mean "{meant}"?')
    for name, value in _together(settings).items():
        for values in given.values():
            values.pop(name, None)
        given[_ORIGINS[0]][name] = value
    return given, warnings


def _is_unset(name: str, value: Any) -> bool:
    """Tell whether a project writes down that a setting is not set."""
    return value is None and getattr(default_settings, name, "") is None


def _no_counterpart(asked: Asked) -> str:
    """Return why a value has no place here, "" if it has one. Raises SettingError for what cannot be left out."""
    row = SCRAPY_NAMES.get(asked.name)
    if row is not None and row.fate == "refused":
        return row.note if asked.value else ""
    try:
        if row is not None:
            in_our_words(asked)
    except SettingError as error:
        if asked.name in REFUSED:
            raise
        return str(error).partition("): ")[2]
    return ""


def _together(settings: BaseSettings) -> dict[str, Any]:
    """Return what more than one setting of Scrapy's decides, or a value that is a word for another one."""
    set_at = {name: settings.getpriority(name) or 0 for name in ("RANDOMIZE_DOWNLOAD_DELAY", "DOWNLOAD_DELAY_JITTER")}
    jitter = as_scrapy_reads(settings, "DOWNLOAD_DELAY_JITTER")
    if set_at["RANDOMIZE_DOWNLOAD_DELAY"] > set_at["DOWNLOAD_DELAY_JITTER"]:
        jitter = 0.5 if as_scrapy_reads(settings, "RANDOMIZE_DOWNLOAD_DELAY") else 0.0
    decided = {"RANDOMIZE_DOWNLOAD_DELAY": True, "DOWNLOAD_DELAY_JITTER": jitter}
    requests: Any = as_scrapy_reads(settings, "CONCURRENT_REQUESTS")
    if isinstance(requests, int) and requests <= 0:
        decided["CONCURRENT_REQUESTS"] = NO_LIMIT
    return decided


def as_scrapy_reads(settings: BaseSettings, name: str) -> Any:
    """Return a value as the type of its default, which is what Scrapy reads it as; as it is if it is none."""
    default, value = getattr(default_settings, name, None), settings[name]
    try:
        if isinstance(default, bool):
            return settings.getbool(name)
        if isinstance(default, int | float) and isinstance(value, str):
            return float(value) if "." in value or "e" in value.lower() else int(value)
        if isinstance(default, list):
            several = settings.getlist(name)
            return [int(each) for each in several] if name.endswith("_CODES") else several
        if isinstance(default, dict):
            return {str(key): each for key, each in _plain(settings.getdict(name)).items()}
    except (ValueError, TypeError):
        pass  # the check of the types says it with a sentence of its own
    return _plain(value)


def _ours(name: Any) -> str | None:
    """Return our name of a setting that means something to the crawler, None for the project's own."""
    if not isinstance(name, str) or name in THEIRS:
        return None
    if name.startswith(PREFIX) and name.removeprefix(PREFIX) in CORE_KINDS:
        return name.removeprefix(PREFIX)
    return name if name in SCRAPY_NAMES else None


def _plain(value: Any) -> Any:
    """Return settings in a setting as a dictionary."""
    if isinstance(value, BaseSettings | dict):
        return {name: _plain(each) for name, each in value.items()}
    return value
