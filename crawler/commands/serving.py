"""``crawler jobs --serve``: what answers at the page of all jobs, and at those of each, which only show?

What is read waits for disks and servers, so it is read in threads, at most once a second, and only while somebody asks.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from inspect import isawaitable
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.python.failure import Failure

from crawler.commands.finding import find_any
from crawler.commands.looking.choose import OVER, Reader, reader_of, runs_reader
from crawler.commands.looking.folder import Folder
from crawler.commands.looking.looked import Looked, Reading
from crawler.commands.reactor import install_reactor, run_reactor
from crawler.commands.showing import say
from crawler.config.schema import CoreSettings
from crawler.errors import CrawlerError
from crawler.status.asked import Asked, Refused, Route
from crawler.status.complaints import Complaints
from crawler.status.pages import page_file, whole_page
from crawler.status.routes import crawl_routes
from crawler.status.server import Place, StatusServer
from crawler.status.streams import Streams
from crawler.threads import Pool, ReactorPool

T = TypeVar("T")

logger = logging.getLogger("crawler.status")

READ_SECONDS = 1.0
MAX_OPEN = 32
"""So many jobs are kept open at a time; of more, the one that was opened first is closed."""
THREADS = 4


class Kept(Generic[T]):
    """What ``read`` has returned last. It is read anew for who asks a second later; who asks meanwhile waits for it."""

    def __init__(self, read: Callable[[], T], pool: Pool, seconds: Callable[[], float]) -> None:
        self._read = read
        self._pool = pool
        self._seconds = seconds
        self._waiting: list[Deferred[T]] | None = None
        self._last: tuple[float, T] | None = None

    def get(self) -> Deferred[T]:
        """Give it; fails as ``read`` does."""
        answer: Deferred[T] = Deferred()
        if self._last is not None and self._seconds() - self._last[0] < READ_SECONDS:
            answer.callback(self._last[1])
        elif self._waiting is not None:
            self._waiting.append(answer)
        else:
            self._waiting = [answer]
            self._pool.run(self._read).addBoth(self._tell)
        return answer

    def _tell(self, result: Any) -> None:
        waiting, self._waiting = self._waiting or [], None
        if not isinstance(result, Failure):
            self._last = self._seconds(), result
        for answer in waiting:
            answer.callback(result)


class OpenJob:
    """A job whose page somebody looks at."""

    def __init__(self, core: CoreSettings, name: str, complaints: Complaints, reactor: Any, pool: Pool) -> None:
        self._core = core
        self._name = name
        self._complaints = complaints
        self._reactor = reactor
        self._reader: tuple[ExitStack, Reader] | None = None
        self._runs: Callable[[], Any] = tuple
        self.source = Looked(self._read, runs=lambda: self._runs())
        self._kept = Kept(self.source.look, pool, reactor.seconds)
        self.streams = Streams(self.source, complaints, reactor)
        self._following = False

    def __repr__(self) -> str:
        return f"<OpenJob {self._name}>"

    def route(self, path: str) -> Route | None:
        """Return what answers at a path of the job's own page."""
        inner = crawl_routes(self.source, self.streams)(path)
        if inner is None or not path.startswith(("/api/", "/events")):
            return inner

        async def answer(asked: Asked) -> Any:
            await self._look()
            if path == "/events":
                self._follow()
            found = inner.answer(asked)
            return await found if isawaitable(found) else found

        return Route(answer, inner.methods)

    async def _look(self) -> None:
        try:
            await self._kept.get()
        except CrawlerError as error:
            if self.source.looked_at < 0:
                raise Refused(404, str(error)) from error
            # It has ended, and nothing is kept of it: what was read last stays.

    def _follow(self) -> None:
        """Read it each second while somebody follows it, and say so when it is over."""
        if not self._following:
            self._following = True
            self._reactor.callLater(0, self._step)

    def _step(self) -> None:
        if self.source.now().job.state in OVER:
            self.streams.end()
            self.streams = Streams(self.source, self._complaints, self._reactor)
        self._following = len(self.streams) > 0
        if self._following:
            ensureDeferred(self._look()).addErrback(self._failed).addBoth(self._later)

    def _later(self, _: object) -> None:
        self._reactor.callLater(READ_SECONDS, self._step)

    def _failed(self, failure: Failure) -> None:
        logger.error("Job %s cannot be read: %s", self._name, failure.value, exc_info=failure.value)

    def _read(self) -> Reading:
        """Read the job where it is: its file goes when it has finished, and then there is its history."""
        if self._reader is not None:
            try:
                return self._reader[1]()
            except CrawlerError:
                self.close()
        job = find_any(self._core, self._name)
        stack = ExitStack()
        self._reader = stack, stack.enter_context(reader_of(self._core, job))
        self._runs = runs_reader(self._core, job)
        return self._reader[1]()

    def close(self) -> None:
        """Read it no longer."""
        if self._reader is not None:
            self._reader[0].close()
            self._reader = None


class JobsPage:
    """The routes of the page of all jobs."""

    def __init__(self, core: CoreSettings, complaints: Complaints, reactor: Any, pool: Pool) -> None:
        self._open: dict[str, OpenJob] = {}
        self._jobs = Kept(Folder(core).read, pool, reactor.seconds)
        self._make: Callable[[str], OpenJob] = lambda name: OpenJob(core, name, complaints, reactor, pool)

    def __len__(self) -> int:
        return len(self._open)

    def __call__(self, path: str) -> Route | None:
        """Return what answers at a path."""
        match path.split("/", 3)[1:]:
            case [""]:
                return whole_page("jobs.html")
            case ["static", name]:
                return page_file(name)
            case ["api", "jobs"]:
                return Route(lambda asked: self._read())
            case ["jobs", name, rest] if name:
                return self._job(name).route(f"/{rest}")
        return None

    def _read(self) -> Awaitable[Any]:
        return self._jobs.get()

    def _job(self, name: str) -> OpenJob:
        found = self._open.get(name)
        if found is None:
            found = self._open[name] = self._make(name)
            idle = [each for each, job in self._open.items() if not len(job.streams) and each != name]
            for each in idle[: max(len(self._open) - MAX_OPEN, 0)]:
                self._open.pop(each).close()
        return found


def serve_jobs(core: CoreSettings) -> None:
    """Serve the page until Ctrl-C. Raises UsageError."""
    reactor = install_reactor()
    pool = ReactorPool(reactor, "jobs", THREADS)
    server = StatusServer(
        reactor, Place(core.STATUS_HOST, core.STATUS_PORT, core.STATUS_SOCKET), token=core.STATUS_TOKEN
    )

    def begin() -> Deferred[None]:
        server.open(JobsPage(core, server.complaints, reactor, pool))
        reactor.addSystemEventTrigger("before", "shutdown", lambda: ensureDeferred(server.close()))
        say(f"jobs page: {server.entry()['url']}", err=True)
        return Deferred()

    try:
        run_reactor(reactor, begin)
    except KeyboardInterrupt:
        say("", err=True)
    finally:
        pool.stop()
