"""How does a crawl come to have a status page, and who is told where it is?"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from crawler.assembly.companions import Companion, Watched
from crawler.config.schema import CoreSettings
from crawler.observe.metrics import of_crawl
from crawler.status.routes import crawl_routes
from crawler.status.server import Place, StatusServer
from crawler.status.streams import Streams
from crawler.steering.words import Words
from crawler.storage.jobs import make_folder, status_file
from crawler.summary import Summary

logger = logging.getLogger("crawler.status")


class StatusPage:
    """The status page of a crawl, as long as that runs."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        core = watched.settings.core
        file = status_file(make_folder(core.JOB_DIR), watched.job) if watched.job is not None else None
        # Absolute, for a callback may change the working directory.
        socket = str(Path(core.STATUS_SOCKET).absolute()) if core.STATUS_SOCKET else None
        place = Place(core.STATUS_HOST, core.STATUS_PORT, socket)
        self._file = file
        self._server = StatusServer(watched.world.reactor, place, token=core.STATUS_TOKEN, file=file)
        self._streams: Streams | None = None

    async def open(self) -> None:
        """Listen, and tell where. Raises UsageError."""
        watched, core = self._watched, self._watched.settings.core
        if watched.world.reactor is None:
            return  # in virtual time, as tests of spiders are, nobody could come
        source = watched.source
        words = Words(source, watched.control)
        streams = Streams(source, self._server.complaints, watched.world.reactor, control=core.STATUS_CONTROL)
        do = (lambda line: words.do(line, who="page")) if core.STATUS_CONTROL else None
        self._server.open(crawl_routes(source, streams, do=do, metrics=of_crawl(source).text))
        self._streams = streams
        self._tell(core)

    async def close(self, summary: Summary | None) -> None:
        """Show the end, then listen no longer."""
        if self._streams is not None:
            self._streams.end()
        await self._server.close()

    def _tell(self, core: CoreSettings) -> None:
        """Print the address with its token for the user; the log has it without."""
        printed = not _is_log(core)
        beside = f"; the address that opens it is in {self._file}" if self._file is not None else ""
        if not (printed or beside or core.STATUS_TOKEN):
            beside = "; it opens to nobody: a log of JSON has no tokens, so set STATUS_TOKEN, LOG_FILE or JOB_STORE"
        logger.info("The status page is at %s%s", self._server.where, beside)
        if not printed:
            return
        entry = self._server.entry()
        socket = f" (by the Unix socket {entry['socket']})" if entry["socket"] else ""
        self._watched.say(f"status page: {entry['url']}{socket}")


def _is_log(core: CoreSettings) -> bool:
    """Whether all of stderr is read as a log: JSON, line by line."""
    to_stderr = core.LOG_ENABLED and core.LOG_FORMAT == "json" and core.LOG_FILE is None
    return to_stderr and sys.stderr is not None and not sys.stderr.isatty()


def companion(watched: Watched) -> Companion:
    """Make the status page of a crawl."""
    return StatusPage(watched)
