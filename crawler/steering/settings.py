"""Which settings may be changed while a crawl runs, and is a value one that they take?

A value is checked as at the start, by type and bounds; the messages are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from crawler.config.layers import CORE_KINDS, Given, typed
from crawler.config.nearest import did_you_mean
from crawler.config.schema import SLOT_OPTIONS, CoreSettings
from crawler.errors import SettingError, SteeringError


class Live(NamedTuple):
    """``what`` a change does. ``of_host``: by which name DOWNLOAD_SLOTS has it of one host; "": it is for all alone."""

    what: str
    of_host: str = ""


_ENOUGH = "A limit that has been passed ends the crawl."
LIVE: Final[dict[str, Live]] = {
    "CONCURRENT_REQUESTS": Live("What is in flight beyond it ends first."),
    "CONCURRENT_REQUESTS_PER_DOMAIN": Live("The throttle goes back up to it, no further.", "concurrency"),
    "CONCURRENT_ITEMS": Live("Callbacks wait until fewer are in the pipelines."),
    "SCRAPER_SLOT_MAX_ACTIVE_SIZE": Live("Nothing is sent until fewer bytes wait for callbacks."),
    "DOWNLOAD_DELAY": Live("Counts from a host's last request; a longer Crawl-delay of robots.txt is obeyed.", "delay"),
    "RANDOMIZE_DOWNLOAD_DELAY": Live("From the next delay on.", "randomize_delay"),
    "DOWNLOAD_DELAY_JITTER": Live("From the next delay on.", "jitter"),
    "THROTTLE_ENABLED": Live("Off: hosts that were slowed down go at full pace."),
    "THROTTLE_MAX_DELAY": Live("Bounds what the throttle sets from now on."),
    "RETRY_TIMES": Live("Judged by it is what comes from now on."),
    "DEPTH_LIMIT": Live("For links that are found from now on; what is queued stays."),
    "LOG_LEVEL": Live("Of all that the process logs."),
    "CLOSESPIDER_ITEMCOUNT": Live(_ENOUGH),
    "CLOSESPIDER_PAGECOUNT": Live(_ENOUGH),
    "CLOSESPIDER_ERRORCOUNT": Live(_ENOUGH),
    "CLOSESPIDER_TIMEOUT": Live("Counts from the start of the crawl."),
    "CLOSESPIDER_TIMEOUT_NO_ITEM": Live("Counts from now."),
    "CLOSESPIDER_PAGECOUNT_NO_ITEM": Live("Counts from now."),
}
"""All of them; a crawl that does not go by one, such as one of a Scrapy spider, says so."""

DEFAULT: Final = "default"
"""The word that takes a change back: a host is asked as all others then, and all as at the start."""


def together(begun: CoreSettings, said: Mapping[tuple[str, str | None], Any]) -> CoreSettings:
    """Return the settings of a crawl with what was said of them since, by setting and host (None: of all)."""
    slots = {host: dict(slot) for host, slot in begun.DOWNLOAD_SLOTS.items()}
    values: dict[str, Any] = {}
    for (name, host), value in said.items():
        if value != DEFAULT and host is None:
            values[name] = value
        elif value != DEFAULT:
            slots.setdefault(host or "", {})[LIVE[name].of_host] = value
    return msgspec.structs.replace(begun, **values, DOWNLOAD_SLOTS=slots)


def checked(name: str, value: object, host: str | None, *, origin: str = "live") -> Any:
    """Return a value as its setting has it: texts are read as those of ``-s NAME=VALUE``. Raises SteeringError."""
    live = LIVE.get(name)
    if live is None and name in CORE_KINDS:
        raise SteeringError(f"{name} is read once, at the start; what can be changed now: {', '.join(LIVE)}")
    if live is None:
        raise SteeringError(
            f"there is no setting {name}" + (did_you_mean(name, LIVE) or f"; there are {', '.join(LIVE)}")
        )
    if host is not None and not live.of_host:
        raise SteeringError(f"{name} is a setting of the whole crawl, not of one host")
    if value == DEFAULT:
        return DEFAULT
    kind = CORE_KINDS[name] if host is None else SLOT_OPTIONS[live.of_host]
    try:
        return typed(name, kind, Given(value, origin, text=True))  # type: ignore[arg-type]  # it is looked at there
    except SettingError as error:
        raise SteeringError(str(error)) from error
