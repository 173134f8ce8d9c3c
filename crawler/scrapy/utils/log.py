"""How does a script set up logging by Scrapy's settings? Scrapy's ``scrapy.utils.log``."""

from __future__ import annotations

import logging
import platform
import pprint
import re
import sys
from collections.abc import Mapping, MutableMapping
from logging.config import dictConfig
from types import TracebackType
from typing import Any, Final

from twisted.python import log as twisted_log
from twisted.python.failure import Failure

from crawler.scrapy.settings import Settings

logger = logging.getLogger(__name__)

DEFAULT_LOGGING: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {
        **{name: {"level": "ERROR"} for name in ("filelock", "hpack", "httpcore", "parso", "twisted")},
        "httpx": {"level": "WARNING"},
        "scrapy": {"level": "DEBUG"},
    },
}
_handlers: list[logging.Handler] = []
_NAMED = re.compile(r"%\(\w+\)").search


def failure_to_exc_info(
    failure: Failure,
) -> tuple[type[BaseException], BaseException, TracebackType | None] | None:
    """Return what logging's ``exc_info`` wants of a Failure; None for anything else."""
    error = failure.value if isinstance(failure, Failure) else None
    return None if error is None else (type(error), error, failure.getTracebackObject())


class TopLevelFormatter(logging.Filter):
    """Lets the records of loggers below one of ``loggers`` be of that one."""

    def __init__(self, loggers: list[str] | None = None) -> None:
        super().__init__()
        self.loggers = loggers or []

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record's name; all are kept."""
        if any(record.name.startswith(f"{name}.") for name in self.loggers):
            record.name = record.name.partition(".")[0]
        return True


def configure_logging(
    settings: Settings | dict[str, Any] | None = None, install_root_handler: bool | None = None
) -> None:
    """Show the log of a script by LOG_* settings: those of Scrapy where none are given.

    Python's warnings and Twisted's log become lines, too; LOG_STDOUT makes lines of what is printed.
    """
    settings = settings if isinstance(settings, Settings) else Settings(settings)
    if not sys.warnoptions:
        logging.captureWarnings(True)
    twisted_log.PythonLoggingObserver("twisted").start()
    dictConfig(DEFAULT_LOGGING)
    if settings.getbool("LOG_STDOUT"):
        sys.stdout = StreamLogger(logging.getLogger("stdout"))
    if settings.getbool("LOG_INSTALL_ROOT_HANDLER") if install_root_handler is None else install_root_handler:
        install_scrapy_root_handler(settings)


def install_scrapy_root_handler(settings: Settings) -> None:
    """Put a handler as the LOG_* settings say in the place of the one that was put there before."""
    _uninstall_scrapy_root_handler()
    logging.root.setLevel(logging.NOTSET)
    _handlers.append(_get_handler(settings))
    logging.root.addHandler(_handlers[0])
    # The root lets everything by, for the project's loggers; the crawler's own would make lines of every link.
    logging.getLogger("crawler").setLevel(_handlers[0].level)


def _uninstall_scrapy_root_handler() -> None:
    while _handlers:
        handler = _handlers.pop()
        logging.root.removeHandler(handler)
        handler.close()
        logging.getLogger("crawler").setLevel(logging.NOTSET)


def get_scrapy_root_handler() -> logging.Handler | None:
    """Return the handler that stands there, None if there is none."""
    return _handlers[0] if _handlers else None


def _get_handler(settings: Settings) -> logging.Handler:
    handler: logging.Handler = logging.NullHandler()
    if file := settings.get("LOG_FILE"):
        mode = "a" if settings.getbool("LOG_FILE_APPEND") else "w"
        handler = logging.FileHandler(file, mode=mode, encoding=settings.get("LOG_ENCODING"))
    elif settings.getbool("LOG_ENABLED"):
        handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(settings.get("LOG_FORMAT"), settings.get("LOG_DATEFORMAT")))
    handler.setLevel(settings.get("LOG_LEVEL"))
    if settings.getbool("LOG_SHORT_NAMES"):
        handler.addFilter(TopLevelFormatter(["scrapy"]))
    return handler


def log_scrapy_info(settings: Settings) -> None:
    """Log which Scrapy this speaks for, and the versions of what it stands on."""
    logger.info("Scrapy %(version)s started (bot: %(bot)s)", {"version": "2.19.0", "bot": settings["BOT_NAME"]})
    if settings.getlist("LOG_VERSIONS"):
        versions = {"Python": platform.python_version(), "Platform": platform.platform()}
        logger.info("Versions:\n%s", pprint.pformat(versions, sort_dicts=False))


def log_reactor_info() -> None:
    """Log which reactor is installed."""
    if (reactor := sys.modules.get("twisted.internet.reactor")) is not None:
        logger.debug("Using reactor: %s.%s", type(reactor).__module__, type(reactor).__name__)


class StreamLogger:
    """A file to which lines are written as log records."""

    def __init__(self, logger: logging.Logger, log_level: int = logging.INFO) -> None:
        self.logger = logger
        self.log_level = log_level
        self.linebuf = ""

    def write(self, buf: str) -> None:
        """Log each line."""
        for line in buf.rstrip().splitlines():
            self.logger.log(self.log_level, "%s", line.rstrip())

    def flush(self) -> None:
        """Flush the logger's handlers."""
        for handler in self.logger.handlers:
            handler.flush()


class LogCounterHandler(logging.Handler):
    """Counts records in the stats, by level."""

    def __init__(self, crawler: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.crawler = crawler

    def emit(self, record: logging.LogRecord) -> None:
        """Count one record."""
        self.crawler.stats.inc_value(f"log_count/{record.levelname}")


def logformatter_adapter(logkws: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what a LogFormatter's method gave as arguments of logger.log(): level, message and its values."""
    level, message, values = logkws.get("level", logging.INFO), logkws.get("msg") or "", logkws.get("args")
    if not values:
        return (level, message, logkws) if _NAMED(message) else (level, message)
    return (level, message, *values) if isinstance(values, tuple) else (level, message, values)


class SpiderLoggerAdapter(logging.LoggerAdapter[logging.Logger]):
    """A logger whose records know their spider."""

    def process(self, msg: str, kwargs: MutableMapping[str, Any]) -> tuple[str, MutableMapping[str, Any]]:
        """Put the spider beside what a call gives as ``extra``."""
        extra = kwargs.get("extra")
        kwargs["extra"] = {**extra, **(self.extra or {})} if isinstance(extra, MutableMapping) else self.extra
        return msg, kwargs
