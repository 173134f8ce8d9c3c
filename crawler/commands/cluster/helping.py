"""How does a machine help with a crawl that another one has started?

It runs workers as the starter does, and buries those that die; it writes no feed, and the crawl does not depend on it.
"""

from __future__ import annotations

import logging
import signal
import socket
from typing import TYPE_CHECKING, Any

import msgspec
from twisted.internet.defer import Deferred

from crawler.commands.cluster.child import Child
from crawler.commands.cluster.ground import jobs_at
from crawler.commands.cluster.parts import Instructions, environment_for, source_hash, worker_command
from crawler.commands.cluster.relaying import Relay
from crawler.commands.cluster.supervisor import STOPPED_BY_HAND, Supervisor
from crawler.commands.loading import chosen, settings_here
from crawler.commands.options import recall
from crawler.commands.reactor import install_reactor, run_reactor
from crawler.commands.screen import Screen
from crawler.config.settings import Settings
from crawler.errors import UsageError
from crawler.observe.log import start_logging
from crawler.storage.cluster import library
from crawler.storage.cluster.address import address_of
from crawler.storage.cluster.checks import check_server
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.jobs import check_library
from crawler.storage.cluster.line import Line, State
from crawler.storage.jobs import Job

if TYPE_CHECKING:
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor

logger = logging.getLogger("crawler")

LOOK_SECONDS = 0.5


def run_helpers(
    url: str, name: str, command_line: dict[str, Any], *, count: int, called: str | None, force: bool
) -> int:
    """Run workers on a job until its crawl is over; return the exit status. Raises UsageError."""
    core = settings_here(command_line).core
    connection = Connection(address_of(core, url), lease=core.JOB_LEASE_SECONDS, library=library.SOURCE)
    connection.open()
    check_server(connection, resumed=True)
    jobs = jobs_at(connection, core.JOB_PREFIX)
    job = jobs.find(name)
    check_library(job, library.NAME)
    if library.state(connection, jobs.key(name), look=False).over:
        raise UsageError(f"job {name} is finished; there is nothing left to do")
    told, settings = _instructions(job, connection, jobs.key(name), command_line, force=force)
    first = called or socket.gethostname().partition(".")[0] or "w"
    names = [first if count == 1 else f"{first}-{number}" for number in range(1, count + 1)]
    return _run(connection, jobs.key(name), settings, told, names)


def _instructions(
    job: Job, connection: Connection, key: str, command_line: dict[str, Any], *, force: bool
) -> tuple[Instructions, Settings]:
    """Return what workers are told, as the command that began the job was given it. Raises UsageError."""
    remembered = recall(job.name, job.description)
    given = remembered.settings | command_line
    file = remembered.file
    spider, settings = chosen(file or remembered.spider, given, in_file=file is not None)
    ours, theirs = source_hash(spider), (connection.command("GET", f"{key}:source") or b"").decode()
    if ours != theirs and not force:
        raise UsageError(
            f"the spider {spider.name} here is not the one that job {job.name} runs: its source differs. Bring the "
            "project here to the same state as where the crawl was started; --force works on the job all the same"
        )
    return Instructions(remembered.spider, file, remembered.arguments, given, ours if not force else ""), settings


def _run(connection: Connection, key: str, settings: Settings, told: Instructions, names: list[str]) -> int:
    core = settings.core
    reactor = install_reactor()
    line = Line(reactor, connection, key)
    screen = Screen(core, quiet=True)
    stop_logging = start_logging(core, write=screen.write)
    helpers = Helpers(reactor, line, Relay(core, screen), key.partition(":")[2])
    helpers.supervisor = Supervisor(
        reactor,
        names,
        instructions=msgspec.json.encode(told),
        environment=environment_for(line.address),
        whose=helpers,
    )
    try:
        return run_reactor(reactor, lambda: Deferred.fromCoroutine(helpers.run()))
    finally:
        stop_logging()
        line.close()


class Helpers:
    """The workers of one `crawler work`."""

    def __init__(self, reactor: AsyncioSelectorReactor, line: Line, relay: Relay, job: str) -> None:
        self.supervisor: Supervisor
        self._reactor = reactor
        self._line = line
        self._job = job
        self.said = relay.said
        self._state = State()
        self._signals = 0

    async def run(self) -> int:
        """Work until the crawl is over or is to stop, or these workers are told to end."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._received)
        self.supervisor.start()
        while not (self.supervisor.stopping or self.supervisor.over.called):
            self._state = await self._line.state()
            if self._state.over or self._state.stopping:
                self.supervisor.leave()  # the job may be gone when they have ended: nothing is asked of it any more
            await self._pause()
        await self.supervisor.over
        if self.supervisor.problems:
            return 2 if 2 in self.supervisor.statuses else 1
        return STOPPED_BY_HAND if self._signals else 0

    def _pause(self) -> Deferred[None]:
        """Return what fires when it is time to look again."""
        pause: Deferred[None] = Deferred()
        self._reactor.callLater(LOOK_SECONDS, pause.callback, None)
        return pause

    def _received(self, number: int, frame: object) -> None:
        self._signals += 1
        told = signal.SIGTERM if self._signals < 3 else signal.SIGKILL
        self._reactor.callFromThread(self.supervisor.stop, told)

    # What the supervisor asks and tells

    def command(self, child: Child) -> list[str]:
        """See supervisor.Whose."""
        return worker_command(self._line.address, self._job, child)

    def gave_up(self, problem: str) -> None:
        """See supervisor.Whose."""
        self.supervisor.stop()

    def bury(self, identity: str, blamed: int) -> None:
        """See supervisor.Whose."""
        self._line.bury(identity, blamed)

    def done(self) -> int:
        """See supervisor.Whose."""
        return self._state.done
