"""How does one worker process work on a job, and when does it end?

It is a crawl of its own on the shared store, without feeds: the engine asks its store what it may do. It ends when the
crawl is over or to be stopped, when its lease is lost (status 75, and its parent starts another one), and when its
parent is gone: nobody would bury it then, and a private server has gone with the parent.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from crawler.assembly import prepare, real_world
from crawler.assembly.job import ItemCodec, JobPlan
from crawler.commands.cluster.child import OPEN
from crawler.commands.cluster.parts import Instructions, settings_of_worker, source_hash
from crawler.commands.loading import chosen
from crawler.commands.reactor import install_reactor
from crawler.commands.running import run_prepared
from crawler.config.schema import CoreSettings
from crawler.config.settings import Settings
from crawler.errors import UsageError
from crawler.events import CrawlOpened
from crawler.frontier.store import Store
from crawler.spider import Spider
from crawler.storage.cluster import library
from crawler.storage.cluster.address import address_of
from crawler.storage.cluster.blame import Blame
from crawler.storage.cluster.calls import Calls, Joined
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.store import ClusterStore

if TYPE_CHECKING:
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor

    from crawler.assembly import PreparedCrawl

ORPHAN_SECONDS = 5.0
"""So long a worker without a parent has for giving its requests back; then it is ended, and its lease runs out."""

_LINE = 0
"""The descriptor of the socket to the parent: it is where other processes have their stdin."""


def run_worker(url: str, job: str, *, called: str, identity: str, blame: Path) -> int:
    """Work on a job, as the child of a process that looks after it; return the exit status."""
    parent = Parent()
    told = parent.told()
    spider_class, settings = _own(told, called)
    if told.source and told.source != source_hash(spider_class):
        raise UsageError(f"the source of the spider {spider_class.name} has changed since the crawl was started")
    core = settings.core
    connection = Connection(address_of(core, url), lease=core.JOB_LEASE_SECONDS, library=library.SOURCE)
    # The server may be away just now: a worker that takes another one's place waits for it.
    connection.trust()

    calls = _JobCalls(connection, f"{core.JOB_PREFIX}:{job}", identity, called, lease=core.JOB_LEASE_SECONDS)
    plan = _Plan(resume=job, core=core, calls=calls, blame=Blame(blame))

    def prepared(reactor: AsyncioSelectorReactor) -> PreparedCrawl:
        world = real_world(reactor)
        made = prepare(spider_class, settings, world=world, arguments=told.arguments, plan=plan, feeds=())
        parent.look_after(reactor, made)
        return made

    return run_prepared(prepared, settings, part=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan(JobPlan):
    """Work on a job by these calls."""

    core: CoreSettings
    calls: Calls
    blame: Blame

    @property
    def is_part(self) -> bool:
        """See JobPlan."""
        return True

    def store_of(self, spider: Spider) -> Store:
        """See JobPlan."""
        core = self.core
        return ClusterStore(
            self.calls,
            reactor=install_reactor(),
            codec=ItemCodec(spider),
            lease=core.JOB_LEASE_SECONDS,
            window=core.JOB_WINDOW,
            blame=self.blame,
            newest=core.QUEUE_ORDER == "newest",
        )


class _JobCalls(Calls):
    """The calls of a worker, which does not begin a job anew that is over and removed."""

    def join(self) -> Joined:
        """See Calls; raises UsageError if there is no such job."""
        if not self._connection.command("EXISTS", f"{self._key}:about"):
            raise UsageError(f"there is no job {self.job} any more: its crawl is over")
        return super().join()


def _own(told: Instructions, called: str) -> tuple[type[Spider], Settings]:
    """Return the spider and the settings of this worker."""
    file = told.file
    given = told.settings
    _, settings = chosen(file or told.spider, given, in_file=file is not None)
    given = given | settings_of_worker(settings.core, called)
    return chosen(file or told.spider, given, in_file=file is not None)


class Parent:
    """The process that started this worker: says what is to be done, is told that the crawl is open, and is missed."""

    def __init__(self) -> None:
        # Spider code shall neither read from the line nor hand it to a process of its own.
        self._line = socket.socket(fileno=os.dup(_LINE))
        with Path(os.devnull).open("rb") as nothing:
            os.dup2(nothing.fileno(), _LINE)

    def told(self) -> Instructions:
        """Return what this worker is to do. Raises UsageError for a process that was not started as a worker."""
        said = b""
        try:
            while not said.endswith(b"\n") and (more := self._line.recv(65536)):
                said += more
            return msgspec.json.decode(said, type=Instructions)
        except (OSError, msgspec.DecodeError) as error:
            raise UsageError("--as and --blame are for the workers that `crawler work` starts itself") from error

    def look_after(self, reactor: AsyncioSelectorReactor, prepared: PreparedCrawl) -> None:
        """Tell that the crawl is open, and stop it at once when the parent is gone."""
        prepared.events.subscribe(CrawlOpened, lambda _: self._tell())
        threading.Thread(target=self._miss, args=(reactor, prepared), name="parent", daemon=True).start()

    def _tell(self) -> None:
        with suppress(OSError):
            self._line.send(OPEN)

    def _miss(self, reactor: AsyncioSelectorReactor, prepared: PreparedCrawl) -> None:
        with suppress(OSError):
            while self._line.recv(1):
                pass
        reactor.callFromThread(prepared.stop_now)
        time.sleep(ORPHAN_SECONDS)
        os._exit(os.EX_TEMPFAIL)
