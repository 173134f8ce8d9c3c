"""How does a script set up the log as Scrapy's do? The lines are the crawler's own (``observe.log``)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from twisted.python.failure import Failure

from crawler.observe.log import start_logging
from crawler.scrapy.names.layers import FromScrapy
from crawler.scrapy.settings import BaseSettings, Settings


def configure_logging(settings: Mapping[str, Any] | None = None, install_root_handler: bool | None = None) -> None:
    """Show the log as the LOG_* settings say; with LOG_INSTALL_ROOT_HANDLER False that is left to the script.

    Raises SettingError, and OutputError for a LOG_FILE that cannot be written.
    """
    given = settings if isinstance(settings, BaseSettings) else Settings(settings)
    if given.getbool("LOG_INSTALL_ROOT_HANDLER") if install_root_handler is None else install_root_handler:
        install_scrapy_root_handler(given)


def install_scrapy_root_handler(settings: BaseSettings) -> None:
    """Give the root logger a handler for these settings, in the place of the one before.

    LOG_FILE is left to each crawl, which writes it.
    """
    while _installed:
        _installed.pop()[1]()
    core = FromScrapy.made_of(settings).core
    if core.LOG_FILE is None:
        undo = start_logging(core)
        _installed.append((logging.getLogger().handlers[-1], undo))


def get_scrapy_root_handler() -> logging.Handler | None:
    """Return that handler, None if there is none."""
    return _installed[0][0] if _installed else None


def failure_to_exc_info(failure: Failure) -> tuple[type[BaseException], BaseException, TracebackType | None] | None:
    """Return a Failure as ``exc_info`` of a log call."""
    if failure.type is None or failure.value is None:
        return None
    return failure.type, failure.value, failure.getTracebackObject()


_installed: list[tuple[logging.Handler, Callable[[], None]]] = []
