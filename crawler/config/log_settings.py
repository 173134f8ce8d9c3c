"""Which settings say what is logged, and how?

Names and meanings are Scrapy's where Scrapy has them (docs.scrapy.org, "Logging").
"""

from __future__ import annotations

import logging
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from crawler.config import holds
from crawler.config.holds import Holds
from crawler.config.parse import WrongValue, shorten

FORMS: Final = ("text", "json")


def log_format(value: str) -> str:
    """Return "text", "json" or a template of Python's logging. Raises ValueError for anything else."""
    if value in FORMS:
        return value
    try:
        logging.Formatter(value)
    except ValueError as error:
        raise WrongValue(
            f'expected "text", "json" or a template such as "%(asctime)s %(message)s", got {shorten(value)} ({error})'
        ) from error
    return value


class LogSettings(Struct, kw_only=True, frozen=True):
    """What is logged, and how."""

    LOG_ENABLED: Annotated[bool, Meta(description="Write log lines")] = True
    LOG_LEVEL: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], Meta(description="Least level logged")
    ] = "INFO"
    LOG_FILE: Annotated[str | None, Meta(description="Write the log here instead of stderr"), Holds(holds.path)] = None
    LOG_FILE_APPEND: Annotated[bool, Meta(description="Go on with that file if it is there; else it is begun anew")] = (
        True
    )
    LOG_ENCODING: Annotated[str, Meta(description="Encoding of that file"), Holds(holds.encoding)] = "utf-8"
    LOG_FORMAT: Annotated[
        str, Meta(description='Log lines as "text", as "json", or by a template of Python\'s logging'),
        Holds(log_format),
    ] = "text"  # fmt: skip
    LOG_DATEFORMAT: Annotated[str, Meta(description="Times in lines of text, as strftime has them")] = (
        "%Y-%m-%d %H:%M:%S"
    )
    LOG_SHORT_NAMES: Annotated[bool, Meta(description='Lines of all the crawler\'s own loggers are of "crawler"')] = (
        False
    )
    LOG_STDOUT: Annotated[bool, Meta(description="What is printed is logged")] = False
