"""Which options let a running crawl be seen and steered, and which settings do they stand for?

They are for one run: a job does not keep them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

NOTHING_SEEN: Final[dict[str, Any]] = {
    "STATUS_ENABLED": False,
    "CONSOLE_ENABLED": False,
    "CONSOLE_PORT": None,
    "NOTICES": [],
}
"""Settings of a crawl that a command makes for itself: nobody looks at it."""

OF_ONE_RUN: Final = frozenset(
    {
        *("STATUS_ENABLED", "STATUS_HOST", "STATUS_PORT", "STATUS_SOCKET", "STATUS_CONTROL", "STATUS_TOKEN"),
        *("CONSOLE_ENABLED", "CONSOLE_HOST", "CONSOLE_PORT"),
    }
)
"""Settings that a job does not remember: where the next run listens, and whether it does, is for its command."""

_OPTIONS = (
    click.option("--status", is_flag=True, help="Show the running crawl in a page, at a URL that is printed."),
    click.option(
        "--status-port", type=click.IntRange(0, 65535), metavar="N", help="The port of that page; 0: any free one."
    ),
    click.option("--status-control", is_flag=True, help="Let the page steer the crawl, too."),
    click.option("--console", is_flag=True, help="Let `crawler attach` steer the crawl."),
)


def seen_options(command: Decorated) -> Decorated:
    """Add --status, --status-port, --status-control and --console. Each of the first three asks for the page."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def seen_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that they stand for, as far as they were given."""
    port, control = given.get("status_port"), given.get("status_control")
    named = {
        "STATUS_ENABLED": True if given.get("status") or port is not None or control else None,
        "STATUS_PORT": port,
        "STATUS_CONTROL": True if control else None,
        "CONSOLE_ENABLED": True if given.get("console") else None,
    }
    return {name: value for name, value in named.items() if value is not None}
