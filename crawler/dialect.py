"""What does a project say that is not in the crawler's own words, and who knows what it means?

The crawler knows its own names only. A module that knows those of another framework, a dialect, is handed in by
``crawler/__init__`` and loaded when a project first uses one of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from crawler.stats import Named

if TYPE_CHECKING:
    from crawler.model.request import Request
    from crawler.model.response import Response

_SIGNS = ("download_", "http_", "max_concurrent_", "user_agent")


class Asked(NamedTuple):
    """A setting that is not the crawler's own, and the layer it stands in: some mean something together only."""

    name: str
    value: Any
    layer: Mapping[str, Any]
    origin: str


class Signals(Protocol):
    """``crawler.signals``: events under the dialect's names."""

    def connect(self, receiver: Callable[..., Any], signal: Any = None, *, weak: bool = False) -> None:
        """Call ``receiver`` when something happens."""


class Engine(Protocol):
    """``crawler.engine``: what spiders do with the crawl under the dialect's names."""

    def close_spider(self, spider: Named | None = None, reason: str = "cancelled") -> None:
        """End the crawl once what is in flight has finished."""

    def stop(self) -> None:
        """End the crawl with the reason "shutdown"."""

    def download(self, request: Request) -> Awaitable[Response]:
        """Fetch inline."""

    def download_async(self, request: Request) -> Awaitable[Response]:
        """Fetch inline."""


class Dialect(Protocol):
    """What a module that knows a dialect can be asked."""

    @property
    def names(self) -> Collection[str]:
        """The settings it knows."""

    def in_our_words(self, asked: Asked) -> Mapping[str, Any] | None:
        """Return our settings for one of its own; None for a name that is not translated. Raises SettingError."""

    def has_no_effect(self, asked: Asked) -> bool:
        """Tell whether the user should hear that a setting has no effect. Raises SettingError for a refused one."""

    def settings_of(self, spider: type) -> Mapping[str, Any]:
        """Return the settings that stand as attributes on a spider's class."""

    def warn_of_late(self, spider: Any) -> None:
        """Log which attributes of a spider would be settings, had they been set on its class."""

    def signals_of(self, crawler: Any) -> Signals:
        """Return ``crawler.signals``."""

    def engine_of(self, crawler: Any) -> Engine:
        """Return ``crawler.engine``."""


def hand_in(load: Callable[[], Dialect]) -> None:
    """Take the function that loads the dialect; it is called each time the dialect is asked."""
    _loads[:] = [load]


def dialect() -> Dialect:
    """Return the dialect, loaded."""
    return _loads[0]()


def may_be_settings(attributes: Iterable[str]) -> bool:
    """Tell whether a spider's attributes may be settings in the dialect: whether a name begins as theirs do."""
    return any(name.startswith(_SIGNS) for name in attributes)


_loads: list[Callable[[], Dialect]] = []
