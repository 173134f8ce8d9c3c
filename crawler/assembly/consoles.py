"""Which consoles does a crawl open, and when?"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twisted.internet.task import deferLater

from crawler.assembly.companions import Watched
from crawler.console.local import LocalDoor
from crawler.console.session import Session
from crawler.errors import UsageError
from crawler.model.request import Request
from crawler.observe.progress import counted
from crawler.spider import Spider
from crawler.storage.jobs import console_socket, make_folder
from crawler.summary import Summary

if TYPE_CHECKING:
    from crawler.console.ssh.door import SshDoor

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 2.0
"""So long those who are in may take to read how it ended."""


class Consoles:
    """The consoles of one crawl: by a socket beside its job, and over SSH."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._doors: list[LocalDoor | SshDoor] = []

    async def open(self) -> None:
        """Open those that the settings ask for. Raises UsageError."""
        core = self._watched.settings.core
        if core.CONSOLE_ENABLED:
            self._open_local(core.JOB_DIR)
        if core.CONSOLE_PORT is not None:
            self._open_ssh()

    async def close(self, summary: Summary | None) -> None:
        """Tell those who are in that it is over, and how it went."""
        why = "the crawl has ended"
        if summary is not None:
            why += f" ({summary.reason}): {counted(summary.pages, 'page')}, {counted(summary.items, 'item')}"
        for door in self._doors:
            await door.close(why)
        # What was said is to be read before the process ends.
        until = self._watched.world.clock.seconds() + PATIENCE_SECONDS
        while any(door.inside for door in self._doors) and self._watched.world.clock.seconds() < until:
            await deferLater(self._reactor, 0.02)

    def _open_local(self, folder: str) -> None:
        if self._watched.job is None:
            raise UsageError(
                "CONSOLE_ENABLED puts its socket beside the job, and there is none with JOB_STORE None: "
                "CONSOLE_PORT opens a console over SSH"
            )
        path = console_socket(make_folder(folder), self._watched.job)
        self._add(LocalDoor(path, self._new_session, self._reactor))
        logger.info("Console: `crawler attach %s`", self._watched.job)

    def _open_ssh(self) -> None:
        try:
            from crawler.console.ssh.door import SshDoor
        except ModuleNotFoundError as error:
            raise UsageError(
                f"CONSOLE_PORT: SSH needs {error.name}, which is not installed: `pip install 'surecrawl[console]'`"
            ) from error

        self._add(SshDoor(self._watched.settings.core, self._new_session, self._reactor))

    @property
    def _reactor(self) -> Any:
        reactor = self._watched.world.reactor
        if reactor is None:
            raise UsageError("a console is for a crawl in real time: CONSOLE_ENABLED and CONSOLE_PORT want a reactor")
        return reactor

    def _add(self, door: LocalDoor | SshDoor) -> None:
        door.open()
        self._doors.append(door)

    def _new_session(self, who: str) -> Session:
        watched = self._watched
        return Session(watched.source, watched.control, who=who, names=self._names(), drive=watched.world.machine.drive)

    def _names(self) -> Mapping[str, Any] | None:
        spider = self._watched.spider
        if self._watched.view is None or not isinstance(spider, Spider):  # workers crawl
            return None
        crawler = spider.crawler
        return {
            "Request": Request,
            "spider": spider,
            "crawler": crawler,
            "stats": crawler.stats,
            "settings": spider.settings,
        }


companion = Consoles
