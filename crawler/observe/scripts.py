"""What is shown of a crawl that a script has started?

What goes wrong, in any case. Where it is shown is the script's business if it has set logging up; else it is
stderr, from WARNING on, or as the crawl's LOG_* settings say. LOG_FILE is written in both cases.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from crawler.config.settings import Settings
from crawler.events import Events
from crawler.observe.lines import subscribe_lines
from crawler.observe.log import start_logging

logger = logging.getLogger("crawler")


def log_for_script(settings: Settings, events: Events) -> Callable[[], None]:
    """Log what happens in a crawl of a script's; return how to end that. Raises OutputError for LOG_FILE."""
    core = settings.core
    stop = _nothing
    if not core.LOG_ENABLED:
        return stop
    root = logging.getLogger()
    of_script = root.level if root.handlers else None
    if core.LOG_FILE is not None or of_script is None:
        given = settings.origin("LOG_LEVEL") != "default" or core.LOG_FILE is not None
        level = core.LOG_LEVEL if given else "WARNING"
        stop = start_logging(level=level, form=core.LOG_FORMAT, file=core.LOG_FILE)
        if of_script is not None:
            root.setLevel(of_script)  # its own handlers shall show no more than it wants
    for warning in settings.warnings:
        logger.warning("%s", warning)
    subscribe_lines(events)
    return stop


def _nothing() -> None:
    pass
