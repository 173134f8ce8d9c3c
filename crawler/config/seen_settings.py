"""Which settings say how a running crawl is seen, steered, told of and watched?

Nothing listens, and nobody is told, until it is asked for.
Names and meanings are Scrapy's where Scrapy has them (docs.scrapy.org, "Settings").
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from crawler.config import holds
from crawler.config.holds import Holds
from crawler.config.log_settings import LogSettings


def _said(description: str) -> Meta:
    return Meta(description=description)


Port = Annotated[int, Meta(ge=0, le=65535)]
Seconds = Annotated[float, Meta(ge=0, le=1e9)]
Megabytes = Annotated[int, Meta(ge=0, le=2**33)]


class SeenSettings(LogSettings, kw_only=True, frozen=True):
    """What is seen of a crawl while it runs, who may steer it, who is told of it, and what it watches itself for."""

    # The status page
    STATUS_ENABLED: Annotated[bool, _said("Show the running crawl in a page, at a URL that is printed")] = False
    STATUS_HOST: Annotated[str, _said("Local address the page listens on"), Holds(holds.address)] = "127.0.0.1"
    STATUS_PORT: Annotated[Port, _said("Port of the page; 0: any free one")] = 0
    STATUS_SOCKET: Annotated[
        str | None, _said("Listen on this Unix socket instead of a port"), Holds(holds.path)
    ] = None  # fmt: skip
    STATUS_CONTROL: Annotated[bool, _said("The page may steer the crawl, too")] = False
    STATUS_TOKEN: Annotated[
        str | None, _said("What opens the page and the metrics; None: made at random for each run")
    ] = None

    # Consoles
    CONSOLE_ENABLED: Annotated[bool, _said("Open a console beside the job, on a Unix socket")] = False
    CONSOLE_PORT: Annotated[Port | None, _said("Port of a console over SSH; 0: any free one; None: no SSH")] = None
    CONSOLE_HOST: Annotated[str, _said("Local address of the console over SSH"), Holds(holds.address)] = "127.0.0.1"
    CONSOLE_KEYS: Annotated[
        list[str], _said("Who may come in by SSH: lines of authorized_keys, or files of such lines")
    ] = []
    CONSOLE_HOST_KEY: Annotated[
        str | None, _said("File of the console's own key; None: one is made once"), Holds(holds.path)
    ] = None  # fmt: skip

    # Notices
    NOTICES: Annotated[
        list[dict[str, Any]], _said("Who is told of a crawl, and how: a table for each (docs/notices.md)")
    ] = []
    NOTICE_RULES: Annotated[dict[str, Any], _said("Which rules they are told of (docs/notices.md)")] = {}

    # Watching
    MEMUSAGE_ENABLED: Annotated[bool, _said("Keep the process within the two limits below")] = True
    MEMUSAGE_LIMIT_MB: Annotated[Megabytes, _said("MiB from which the crawl is stopped; 0: no limit")] = 0
    MEMUSAGE_WARNING_MB: Annotated[Megabytes, _said("MiB from which a warning is logged; 0: none")] = 0
    MEMUSAGE_CHECK_INTERVAL_SECONDS: Annotated[
        float, Meta(gt=0, le=1e9), _said("Time between two looks at the memory")
    ] = 60.0
    STALL_SECONDS: Annotated[Seconds, _said("Tell it when nothing has ended for so long; 0: never")] = 600.0
    REACTOR_THREADPOOL_MAXSIZE: Annotated[
        int, Meta(ge=1, le=10_000), _said("Threads of the reactor's own pool, for names and deferToThread()")
    ] = 10
