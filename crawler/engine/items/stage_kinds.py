"""How does one pipeline stage work off its items?

A blocking stage (plain ``def``) runs in threads of its own. A hop to a thread costs 50 to 100 µs, so
several items go over at once; but never more than an equal share of what is ready, nor more than
about 10 ms of the stage's measured time, so that a slow stage uses all of its threads.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Coroutine
from functools import partial
from math import ceil
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from crawler.engine.frames import error_of
from crawler.engine.items.stage import Outcome, Stage, Travelling, log_of
from crawler.engine.keeping.unit import current
from crawler.engine.machine import Machine
from crawler.engine.user_code.tasks import awaited
from crawler.errors import SettingError
from crawler.pipeline import Stage as UsersStage
from crawler.pipeline import changes
from crawler.spider import Spider
from crawler.threads import Pool

HOP_SECONDS = 0.010
"""How much of a stage's time one hop to a thread should carry."""


def make_stage(stage: UsersStage, spider: Spider, machine: Machine) -> ThreadStage | AsyncStage:
    """Return what runs a user's stage: on the reactor if its methods are coroutines or it asks for no thread, else in
    threads."""
    batch = getattr(stage, "process_batch", None)
    method = batch or getattr(stage, "process_item", None)
    if method is None:
        raise SettingError(f"{type(stage).__name__} in PIPELINES has neither process_item nor process_batch")
    if getattr(stage, "threads", 1) == 0:
        return PlainStage(stage, spider, machine)
    if inspect.iscoroutinefunction(method):
        return AsyncStage(stage, spider, machine)
    return ThreadStage(stage, spider, machine)


class ThreadStage(Stage):
    """A stage that may block, in threads of its own."""

    def __init__(self, stage: Any, spider: Spider, machine: Machine) -> None:
        super().__init__(stage, spider, machine)
        self.threads = max(1, int(getattr(stage, "threads", 1)))
        self._pool: Pool = machine.pools(self.name, self.threads)
        self._busy = 0
        self._item_seconds = HOP_SECONDS

    def run_hook(self, name: str) -> Deferred[Any] | None:
        """Run a plain hook in the stage's thread, a coroutine on the reactor."""
        hook = self._hook(name)
        if hook is None or inspect.iscoroutinefunction(getattr(self.stage, name)):
            return self._driven(hook)

        def blocking() -> Coroutine[Any, Any, Any] | None:
            result = hook()
            if isinstance(result, Deferred):
                raise TypeError(f"{self.name}.{name} runs in a thread, but returned a Deferred; make it async def")
            return result if inspect.iscoroutine(result) else None

        return self._pool.run(blocking).addCallback(lambda result: self._driven(lambda: result))

    def end_threads(self) -> Deferred[None]:
        """End the threads; fires when what still ran in them has ended."""
        return self._pool.stop()

    def cancel(self) -> None:
        """Take nothing that waits; what runs in a thread cannot be ended."""
        self._ready.clear()

    def put(self, one: Travelling) -> None:
        """Take one more item."""
        self._ready.append(one)
        if self._busy < self.threads:
            self._send()

    def _send(self) -> None:
        while self._ready and self._busy < self.threads:
            batch = self._take()
            self._busy += 1
            self._pool.run(self._process, batch).addBoth(self._returned, batch)

    def _take(self) -> list[Travelling]:
        share = ceil(len(self._ready) / self.threads)
        if self._batch is None:
            size = min(share, max(1, int(HOP_SECONDS / max(self._item_seconds, 1e-7))))
            return [self._ready.popleft() for _ in range(size)]
        return self._next_batch()

    def _process(self, batch: list[Travelling]) -> tuple[list[Outcome], float]:
        started = time.perf_counter()
        changes.set(log_of(batch))
        if self._batch is not None:
            try:
                results = self._matched([each.item for each in batch], self._batch([each.item for each in batch]))
            except BaseException as error:
                results = self._one_by_one(batch, error)
        else:
            results = [self._alone(one) for one in batch]
        changes.set(None)
        return results, (time.perf_counter() - started) / len(batch)

    def _alone(self, one: Travelling) -> Outcome:
        assert self._single is not None
        changes.set(one.changes)
        try:
            return self._checked(self._single(one.item))
        except BaseException as error:  # sys.exit(), too, fails this item and nothing else
            return Outcome(None, error)

    def _one_by_one(self, batch: list[Travelling], error: BaseException) -> list[Outcome]:
        if self._single is not None:
            return [self._alone(one) for one in batch]
        assert self._batch is not None
        if len(batch) == 1:
            return [Outcome(None, error)]
        results = []
        for one in batch:
            changes.set(one.changes)
            try:
                results += self._matched([one.item], self._batch([one.item]))
            except BaseException as alone:
                results.append(Outcome(None, alone))
        return results

    def _returned(self, result: tuple[list[Outcome], float] | Failure, batch: list[Travelling]) -> None:
        self._busy -= 1
        if isinstance(result, Failure):
            results = [Outcome(None, result.value)] * len(batch)
        else:
            results, seconds = result
            self._item_seconds = 0.7 * self._item_seconds + 0.3 * seconds
        for one, outcome in zip(batch, results, strict=True):
            one.leaves(outcome)
        self._send()


class AsyncStage(Stage):
    """A stage of coroutines on the reactor; as many items at once as the pipelines hold."""

    def __init__(self, stage: Any, spider: Spider, machine: Machine) -> None:
        super().__init__(stage, spider, machine)
        self._busy = False
        self._at_work: set[Deferred[Any]] = set()

    def run_hook(self, name: str) -> Deferred[Any] | None:
        """Run a hook on the reactor."""
        return self._driven(self._hook(name))

    def put(self, one: Travelling) -> None:
        """Take one more item."""
        if self._batch is None:
            assert self._single is not None
            self._start(partial(self._single, one.item), [one])
            return
        self._ready.append(one)
        self._send_batch()

    def _send_batch(self) -> None:
        if self._busy or not self._ready:
            return
        assert self._batch is not None
        self._busy = True
        batch = self._next_batch()
        self._start(partial(self._batch, [one.item for one in batch]), batch)

    def _start(self, call: Callable[[], Any], batch: list[Travelling]) -> None:
        recording, running = changes.set(log_of(batch)), current.set(batch[0].unit)
        try:
            done = self._promise(call())
        except BaseException:  # it cannot be called like that
            done = fail()
        finally:
            changes.reset(recording)
            current.reset(running)
        self._at_work.add(done)
        done.addBoth(self._returned, batch, done)

    def _promise(self, result: Any) -> Deferred[Any]:
        return self._drive(result)

    def cancel(self) -> None:
        """End what is at work, and take nothing that waits."""
        self._ready.clear()
        for done in list(self._at_work):
            done.cancel()

    def _returned(self, result: Any, batch: list[Travelling], done: Deferred[Any]) -> None:
        self._at_work.discard(done)
        if self._batch is None:
            outcome = Outcome(None, _error(result)) if isinstance(result, Failure) else self._checked(result)
            batch[0].leaves(outcome)
            return
        self._busy = False
        try:
            if isinstance(result, Failure):
                raise _error(result)
            results = self._matched([one.item for one in batch], result)
        except BaseException as error:
            if len(batch) > 1:
                for one in batch:
                    self._start(partial(self._batch, [one.item]), [one])
                return
            results = [Outcome(None, error)]
        for one, outcome in zip(batch, results, strict=True):
            one.leaves(outcome)
        self._send_batch()


class PlainStage(AsyncStage):
    """A stage whose plain methods do not block: they are called on the reactor, at once and without a task.

    What one returns may be awaited, be it a coroutine or a Deferred.
    """

    def put(self, one: Travelling) -> None:
        """Take one more item."""
        if self._batch is not None:
            super().put(one)
            return
        assert self._single is not None
        recording, running = changes.set(one.changes), current.set(one.unit)
        try:
            result = self._single(one.item)
        except BaseException as error:
            outcome = Outcome(None, error)
        else:
            if hasattr(result, "__await__"):
                self._start(lambda: result, [one])
                return
            outcome = self._checked(result)
        finally:
            changes.reset(recording)
            current.reset(running)
        one.leaves(outcome)

    def _promise(self, result: Any) -> Deferred[Any]:
        if isinstance(result, Deferred):
            return result
        return self._drive(awaited(result)) if hasattr(result, "__await__") else succeed(result)


def _error(failure: Failure) -> BaseException:
    error = error_of(failure)
    if isinstance(error, asyncio.CancelledError):
        return asyncio.InvalidStateError(f"the stage was cancelled: {error!r}")
    return error
