"""Several engines in one virtual time, with one job: what workers on many machines do, in one process and repeatably.

A worker's store makes one call at a time, which takes a random while there and back. A worker may be killed (nothing of
it happens any more), or cut off (its calls do not arrive for a while, and it may be late then).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from crawler import testing
from crawler.assembly import World, prepare
from crawler.assembly.job import ItemCodec
from crawler.engine.machine import Machine
from crawler.engine.user_code.tasks import driver
from crawler.errors import LateWorker, LostWorkers, StoreError
from crawler.events import Event
from crawler.frontier.host import Entry
from crawler.frontier.store import Committed, Finished, Listener, Offer, Postponed, Redirected, Report, Resumed
from crawler.model.request import Request
from crawler.spider import Spider
from crawler.summary import Summary
from crawler.threads import InlinePool
from tests.engine.shared_job import Answer, Row, SharedJob

Call = tuple[Callable[[float], Any], Deferred[Any]]


class WorkerStore:
    """The store of one worker: each call gathers, and goes with the next turn."""

    durable = True
    takes = True

    def __init__(self, worker: Worker, spider: Spider) -> None:
        self.window: int | None = worker.cluster.window
        self._worker, self._name, self._clock = worker, worker.name, worker.clock
        self._job, self._random = worker.cluster.job, worker.cluster.random
        self._codec = ItemCodec(spider)
        self._line: list[Call] = []
        self._under_way: list[Call] = []
        self._listener: Listener | None = None
        self._busy = self._fenced = False
        self._due_at: float | None = None
        self._renewed = 0.0
        self._error: StoreError | None = None
        self.check_value = self._codec.encode

    # When turns are made

    def _within(self, seconds: float) -> None:
        when = self._clock.seconds() + seconds
        if not self._busy and (self._due_at is None or when < self._due_at - 1e-9):
            self._due_at = when
            self._clock.callLater(seconds, self._due, when)

    def _due(self, when: float) -> None:
        if self._due_at == when and not self._busy and self._error is None:
            self._due_at = None
            self._go()

    def _go(self) -> None:
        assert self._listener is not None
        self._busy = True
        report = self._listener.report()
        self._under_way, self._line = self._line, []
        self._clock.callLater(self._latency(), self._arrive, report, self._clock.seconds())

    def _latency(self) -> float:
        return self._random.choice([0.0, 0.001, 0.001, 0.05])

    def _arrive(self, report: Report, sent: float) -> None:
        now = self._clock.seconds()
        if now < self._worker.cut_off_until:
            self._clock.callLater(self._worker.cut_off_until - now, self._arrive, report, sent)
            return
        try:
            self._job.called(self._name, now)
        except LateWorker as error:
            self._clock.callLater(self._latency(), self._lost, error)
            return
        results = [self._carry_out(call, now) for call, _ in self._under_way]
        if self._name in self._job.members:  # else it has just left
            for entry, wait in report.returned:
                self._job.give_back(self._name, entry.token, now + wait)
            self._job.hear(self._name, report, now)
            answer = self._job.answer(self._name, report, now)
        else:
            answer = Answer()
        self._clock.callLater(self._latency(), self._answered, results, answer, sent)

    def _carry_out(self, call: Callable[[float], Any], now: float) -> Any:
        try:
            return call(now)
        except StoreError:
            return Failure()

    def _answered(self, results: list[Any], answer: Answer, sent: float) -> None:
        self._renewed, self._fenced, self._busy = sent, False, False
        listener = self._listener
        assert listener is not None
        if answer.facts:
            listener.changed_facts(answer.facts)
        calls, self._under_way = self._under_way, []
        for (_, deferred), result in zip(calls, results, strict=True):
            deferred.callback(result)
        if self._error is not None:
            return
        self._tell(listener, answer)
        self._within(0.0 if self._line else 0.1 if not answer.grants else 0.5)

    def _tell(self, listener: Listener, answer: Answer) -> None:
        for host, permits in answer.asks:
            listener.asked(host, permits)
        for host, count, first in answer.stored:
            listener.stored(host, count, first)
        if answer.grants:
            listener.granted(answer.grants, answer.facts)
        if answer.start is not None:
            listener.start(*answer.start)
        if answer.hungry:
            listener.hungry(answer.hungry)
        if answer.stop is not None:
            listener.stop(answer.stop)
        if answer.over == "idle":
            listener.idle()
        elif answer.over is not None:
            listener.over(answer.over)

    def _lost(self, error: StoreError) -> None:
        self._error = error
        calls, self._under_way, self._line = self._under_way + self._line, [], []
        assert self._listener is not None
        self._listener.lost(error)
        for _, deferred in calls:
            deferred.errback(error)

    def _watch(self) -> None:
        """See when the lease is nearly over."""
        if self._error is None and self._listener is not None:
            if not self._fenced and self._clock.seconds() - self._renewed >= self._job.lease * 12 / 15:
                self._fenced = True
                self._listener.fenced()
            self._clock.callLater(0.1, self._watch)

    # What the engine asks for

    def listen(self, listener: Listener) -> None:
        self._listener = listener

    def may_send(self) -> bool:
        return self._error is None and self._clock.seconds() - self._renewed < self._job.lease * 11 / 15

    def look(self) -> None:
        self._within(0.01)

    def running(self, token: int) -> None:
        self._worker.running = token

    def stop(self, reason: str) -> None:
        def stop(now: float) -> None:
            self._job.stopping = self._job.stopping or reason

        self._ask(stop)

    def _ask(self, call: Callable[[float], Any]) -> Deferred[Any]:
        if self._error is not None:
            return fail(self._error)
        deferred: Deferred[Any] = Deferred()
        self._line.append((call, deferred))
        self._within(0.0)
        return deferred

    def open(self) -> Deferred[Resumed]:
        self._renewed = now = self._clock.seconds()
        self._job.join(self._name, now)
        self._watch()
        self._within(0.0)
        facts = {name: value for name, (_, value) in self._job.facts.items() if name.startswith(("cookie", "live:"))}
        self._job.members[self._name].version = self._job.version
        memory = {place: dict(values) for place, values in self._job.memory.items()}
        return succeed(Resumed(is_new=False, facts=facts, memory=memory))

    def can_store(self, request: Request) -> bool:
        try:
            self._codec.encode_request(request)
        except Exception:
            return False
        return True

    def claim(self, token: int, fingerprints: Sequence[int]) -> Deferred[list[bool]]:
        return self._ask(lambda now: self._job.claim(self._name, token, fingerprints))

    def commit(
        self, finished: Sequence[Finished], *, postponed: Sequence[Postponed] = (), facts: dict[str, Any] | None = None
    ) -> Deferred[list[Committed]]:
        rows = [self._row(each) for each in postponed]
        forms = [(each, [self._codec.encode_request(offer.request) for offer in each.children]) for each in finished]

        def commit(now: float) -> list[Committed]:
            for row in rows:
                self._job.post(self._name, row)
            return self._job.commit(self._name, forms, facts or {})

        return self._ask(commit)

    def _row(self, postponed: Postponed) -> Row:
        request = postponed.request
        return Row(
            token=postponed.token, priority=request.priority, host=postponed.host, origin=postponed.origin,
            url=request.url, body=self._codec.encode_request(request), due=postponed.not_before - testing.START_OF_TIME,
        )  # fmt: skip

    def stage(self, token: int, children: Sequence[Offer]) -> Deferred[None]:
        forms = [(offer, self._codec.encode_request(offer.request)) for offer in children]
        return self._ask(lambda now: self._job.staged.setdefault(token, []).extend(forms))

    def redirect(self, postponed: Postponed, fingerprint: int) -> Deferred[Redirected]:
        row = self._row(postponed)
        return self._ask(lambda now: self._job.move(self._name, row, fingerprint))

    def lease(self, host: str, count: int, after: Any) -> Deferred[list[tuple[Entry, float]]]:
        def taken(rows: list[Row]) -> list[tuple[Entry, float]]:
            assert self._listener is not None
            for row in rows:
                if row.doomed:
                    self._listener.doomed(self._entry(row), LostWorkers("five workers died"))
            return [(self._entry(row), 0.0) for row in rows if not row.doomed]

        return self._ask(lambda now: self._job.take(self._name, host, count, now)).addCallback(taken)

    def _entry(self, row: Row) -> Entry:
        request = self._codec.decode_request(row.url, row.priority, row.body)
        return Entry(request, token=row.token, order=row.token, host=row.host, origin=row.origin)

    def unfed_items(self, after: int, count: int) -> Deferred[list[tuple[int, Any]]]:
        return succeed([])

    def fed(self, feed: str, mark: Mapping[str, Any], *, on_disk: bool = False) -> Deferred[None]:
        return succeed(None)

    def feeds(self, names: Sequence[str]) -> Deferred[None]:
        return succeed(None)

    def finish(self, *, ended: bool, reason: str) -> Deferred[None]:
        if self._error is not None:
            return succeed(None)
        return self._ask(lambda now: self._job.leave(self._name)).addCallback(self._left)

    def _left(self, _: None) -> None:
        self._error = StoreError("this worker has left")


class WorkerClock(testing.VirtualClock):
    """The clock of one worker: what it waits for does not happen when it is dead."""

    def __init__(self, loop: testing.VirtualLoop, worker: Worker) -> None:
        super().__init__(loop)
        self._worker = worker

    def callLater(self, delay: float, call: Callable[..., Any], *args: Any) -> Any:
        def alive() -> None:
            if not self._worker.dead:
                call(*args)

        return super().callLater(delay, alive)


class Worker:
    """One engine. ``summary`` when it has ended."""

    def __init__(self, cluster: Workers, name: str) -> None:
        self.cluster, self.name = cluster, name
        self.clock = WorkerClock(cluster.loop, self)
        self.dead = False
        self.cut_off_until = 0.0
        self.running = 0
        self.events: list[Event] = []
        self.sent: list[testing.Sent] = []
        self.summary: Summary | None = None
        self.error: BaseException | None = None
        self._open: set[Deferred[Any]] = set()
        machine = Machine(
            clock=self.clock, random=random.Random(cluster.random.random()).random, drive=driver(cluster.loop),
            pools=InlinePool, reactor=None,
        )  # fmt: skip
        settings = {**cluster.settings, "JOB_STORE": lambda spider, _: WorkerStore(self, spider)}
        world = World(machine=machine, downloader=self)
        self.prepared = prepare(cluster.spider, settings, world=world, feeds=[])
        self.prepared.events.subscribe(Event, self.events.append)
        self._memory = testing.MemorySite(cluster.site, cluster.loop, cluster.latency, self.sent)
        self.prepared.run().addCallbacks(self._ended, self._failed)

    @property
    def ended(self) -> bool:
        return self.dead or self.summary is not None or self.error is not None

    def _ended(self, summary: Summary) -> None:
        self.summary = summary

    def _failed(self, failure: Failure) -> None:
        self.error = failure.value

    def fetch(self, request: Request, exchange: Any = None) -> Deferred[Any]:
        """Ask the site, as long as this worker lives."""
        if self.dead:
            return Deferred()
        fetched = self._memory.fetch(request, exchange)
        self._open.add(fetched)

        def done(result: Any) -> Any:
            self._open.discard(fetched)
            return Deferred() if self.dead else result

        return fetched.addBoth(done)

    def close(self) -> Deferred[None]:
        return succeed(None)

    def kill(self) -> None:
        """End it with its connections."""
        self.dead = True
        for fetched in list(self._open):
            fetched.cancel()


class Workers:
    """The workers of one job, and the site they ask."""

    def __init__(
        self,
        spider: type[Spider],
        site: testing.Site,
        *,
        workers: int = 2,
        settings: Mapping[str, Any] | None = None,
        seed: int = 1,
        window: int = 4,
        latency: float = 0.01,
        lease: float = 15.0,
    ) -> None:
        self.spider, self.site, self.window, self.latency = spider, site, window, latency
        self.settings = {"HOLD_WARNING_SECONDS": 0, "STALL_SECONDS": 0, "ROBOTSTXT_OBEY": False, **(settings or {})}
        self.random = random.Random(seed)
        self.loop = testing.VirtualLoop()
        self.job = SharedJob(lease=lease, delay=self.settings.get("DOWNLOAD_DELAY", 0.0))
        self.workers: list[Worker] = []
        self._count = workers

    def begin(self) -> Worker:
        """Add a worker."""
        worker = Worker(self, f"w{len(self.workers)}")
        self.workers.append(worker)
        return worker

    def later(self, seconds: float, call: Callable[..., Any], *arguments: Any) -> None:
        """Call at a virtual time."""
        self.loop.call_later(seconds, call, *arguments)

    def run(self, *, within: float = 10_000.0) -> Workers:
        """Run until all workers have ended; ``within``: virtual seconds that this may take."""

        async def all_ended() -> None:
            for _ in range(self._count):
                self.begin()
            while not all(worker.ended for worker in self.workers):
                await asyncio.sleep(0.05)
                assert self.loop.now < within, f"does not end: {self.job!r}\n{self.state()}"

        try:
            self.loop.run_until_complete(all_ended())
        finally:
            testing.drain(self.loop)
            self.loop.close()
        return self

    def state(self) -> str:
        return "\n".join(f"{worker.name}: {worker.prepared!r}" for worker in self.workers)

    @property
    def sent(self) -> list[testing.Sent]:
        """What all workers asked for, in order of time."""
        return sorted((sent for worker in self.workers for sent in worker.sent), key=lambda sent: sent.when)

    @property
    def urls(self) -> list[str]:
        return [sent.url for sent in self.sent if not sent.url.endswith("/robots.txt")]

    @property
    def items(self) -> list[Any]:
        return self.job.items

    def problems(self) -> list[Any]:
        """What went wrong in any worker."""
        return [problem for worker in self.workers for problem in (worker.summary.problems if worker.summary else [])]

    def reasons(self) -> list[str]:
        return [worker.summary.reason for worker in self.workers if worker.summary is not None]
