"""How are the results of a user's callback taken, whatever kind of function it is?

Results are pulled: the next one is taken only when there is room, and the reactor gets its turn
between any two of them once a slice of time is used up. (A turn after each single result would cost
more than the result: some 15 µs, 110 times for a page of 110 links.)
"""

from __future__ import annotations

import inspect
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from types import GeneratorType
from typing import Any, Protocol, TypeVar

from itemadapter import ItemAdapter
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.engine.frames import at_yield
from crawler.engine.keeping.unit import Unit, current
from crawler.engine.life import Kind, Ledger
from crawler.engine.machine import Machine
from crawler.engine.user_code.names import short_name_of
from crawler.engine.user_code.tasks import awaited
from crawler.model.fields import Callback
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.results import warn_of_return

logger = logging.getLogger(__name__)

T = TypeVar("T")

SLICE_SECONDS = 0.010

DEEPEST = 100
"""A list that was yielded may hold lists, so deep: one that contains itself would never end."""


class Taker(Protocol):
    """Who takes the results of callbacks; ``flat``: of a list that was yielded, what it holds."""

    flat: bool

    def room(self) -> bool:
        """Tell whether the next result may be taken."""

    def take(self, result: Any, unit: Unit, response: Response | None) -> None:
        """Take one result; raises if it is not acceptable."""

    def failed(self, error: BaseException, unit: Unit, name: str, response: Response | None) -> None:
        """The callback raised, or yielded what is not acceptable."""


class Run:
    """One callback at work: what it works for, and how to stop it."""

    __slots__ = ("function", "iterator", "response", "size", "source", "unit", "waiting")

    def __init__(self, function: Callback | str, unit: Unit, response: Response | None) -> None:
        self.function = function
        self.unit = unit
        self.response = response
        self.size = 0 if response is None or response.body_file is not None else len(response.body)
        self.source: Iterator[Any] = iter(())  # what the function returned
        self.iterator = self.source  # the same, or a list that it yielded
        self.waiting: Deferred[Any] | None = None

    @property
    def name(self) -> str:
        """How the function is spoken of."""
        return short_name_of(self.function)


class Callbacks:
    """Runs callbacks and hands each of their results to the taker.

    ``running`` are those that have not ended; whoever is ``waiting`` for room goes on at ``go_on()``.

    A run holds its unit until it has ended; what it yielded before its error stays.
    """

    def __init__(self, machine: Machine, taker: Taker, ledger: Ledger) -> None:
        self._clock = machine.clock
        self._drive = machine.drive
        self._taker = taker
        self._flat = taker.flat
        self._ledger = ledger
        self.running: set[Run] = set()
        self.waiting: deque[Callable[[], None]] = deque()

    def run(self, call: Callable[[], Any], function: Callback | str, unit: Unit, response: Response | None) -> None:
        """Call a function and take its results; ``unit.end_one()`` when all of them are taken."""
        run = Run(function, unit, response)
        self.running.add(run)
        if run.size:
            self._ledger.begin(Kind.BYTES, run.size)
        token = current.set(unit)
        try:
            self._begin(run, call())
        except BaseException as error:  # sys.exit(), too, ends this callback and nothing else
            self._end(run, error)
        finally:
            current.reset(token)

    def go_on(self) -> None:
        """There is room again: let the waiting runs go on."""
        waiting, self.waiting = self.waiting, deque()
        while waiting and self._taker.room():
            waiting.popleft()()
        self.waiting.extendleft(reversed(waiting))  # they were first

    def stop(self) -> int:
        """End all runs now; return how many did not end by that themselves, so that their units stay incomplete."""
        for run in list(self.running):
            run.unit.abandoned = True
            if run.waiting is not None:
                run.waiting.cancel()
            elif isinstance(source := run.source, GeneratorType) and not source.gi_running:
                _close(source, run.name)
        stopped = len(self.running)
        self._ledger.end(Kind.BYTES, sum(run.size for run in self.running))
        self.running.clear()
        self.waiting.clear()
        return stopped

    def _begin(self, run: Run, result: Any) -> None:
        if type(result) is GeneratorType:
            run.source = run.iterator = result
            self._pull(run)
        elif result is None:
            self._end(run, None)
        elif inspect.isasyncgen(result) or isinstance(result, AsyncIterator):
            self._wait(run, self._drive(self._consume(run, result)), lambda _: self._end(run, None))
        elif isinstance(result, Deferred):
            self._wait(run, result, lambda value: self._begin(run, value))
        elif inspect.isawaitable(result):
            self._wait(run, self._drive(awaited(result)), lambda value: self._begin(run, value))
        else:
            several = isinstance(result, Iterable) and not isinstance(result, Request | str | bytes | bytearray)
            run.source = run.iterator = iter(result) if several and not ItemAdapter.is_item(result) else iter((result,))
            self._pull(run)

    def _wait(self, run: Run, deferred: Deferred[T], go_on: Callable[[T], None]) -> None:
        run.waiting = deferred

        def fired(result: T | Failure) -> None:
            if run not in self.running:
                return  # stopped meanwhile
            run.waiting = None
            if isinstance(result, Failure):
                self._end(run, result.value)
                return
            token = current.set(run.unit)
            try:
                go_on(result)
            except BaseException as error:  # an iterable of the user's that cannot be iterated
                self._end(run, error)
            finally:
                current.reset(token)

        deferred.addBoth(fired)

    def _goes_on(self, run: Run) -> None:
        """Code of a callback runs again that has waited for others."""

    def _pull_on(self, run: Run) -> None:
        self._goes_on(run)
        self._pull(run)

    def _pull(self, run: Run) -> None:
        iterator, source = run.iterator, run.source
        if run not in self.running:
            return
        token = current.set(run.unit)
        # Asked for each of a million results.
        monotonic, room, take = time.monotonic, self._taker.room, self._taker.take
        until = monotonic() + SLICE_SECONDS
        error: BaseException | None = None
        try:
            while room():
                try:
                    result = next(iterator)
                except StopIteration as stop:
                    if iterator is source:
                        if stop.value is not None:
                            warn_of_return(run.name, stop.value)
                        break
                    iterator = run.iterator = source
                    continue
                if (type(result) is list or type(result) is tuple) and self._flat:
                    iterator = run.iterator = _flat(result)
                else:
                    try:
                        take(result, run.unit, run.response)
                    except BaseException as raised:
                        self._refused(raised, run, source)
                if monotonic() > until:
                    self._clock.callLater(0, self._pull_on, run)
                    return
            else:
                self.waiting.append(lambda: self._pull_on(run))
                return
        except BaseException as raised:
            error = raised
        finally:
            current.reset(token)
        self._end(run, error)

    async def _consume(self, run: Run, results: AsyncIterator[Any]) -> None:
        try:
            await self._consume_each(run, results)
        finally:
            if hasattr(results, "aclose"):
                await results.aclose()

    async def _consume_each(self, run: Run, results: AsyncIterator[Any]) -> None:
        until = time.monotonic() + SLICE_SECONDS
        async for several in results:
            for result in _flat((several,), 0) if self._flat else (several,):
                try:
                    self._taker.take(result, run.unit, run.response)
                except BaseException as error:
                    self._refused(error, run, results)
                while not self._taker.room():
                    turn: Deferred[None] = Deferred()
                    self.waiting.append(_once(turn))
                    await turn
                    self._goes_on(run)
                if time.monotonic() > until:
                    turn = Deferred()
                    self._clock.callLater(0, _once(turn))
                    await turn
                    self._goes_on(run)
                    until = time.monotonic() + SLICE_SECONDS

    def _refused(self, error: BaseException, run: Run, results: Iterator[Any] | AsyncIterator[Any] | None) -> None:
        """A result is not acceptable, or a filter of the user's raised: the run goes on."""
        self._taker.failed(at_yield(error, results), run.unit, run.name, run.response)

    def _end(self, run: Run, error: BaseException | None) -> None:
        if run not in self.running:
            return
        self.running.discard(run)
        if run.size:
            self._ledger.end(Kind.BYTES, run.size)
        if error is not None:
            self._taker.failed(error, run.unit, run.name, run.response)
        run.unit.end_one()


def _flat(results: Sequence[Any], depth: int = 1) -> Iterator[Any]:
    """Yield what several results hold: a list may be yielded, and hold lists."""
    if depth > DEEPEST:
        raise ValueError(f"a callback may yield lists of requests and items, but not {DEEPEST} in each other")
    for result in results:
        if type(result) is list or type(result) is tuple:
            yield from _flat(result, depth + 1)
        else:
            yield result


def _once(deferred: Deferred[None]) -> Callable[[], None]:
    return lambda: None if deferred.called else deferred.callback(None)


def _close(generator: GeneratorType[Any, Any, Any], name: str) -> None:
    try:
        generator.close()
    except BaseException:  # a finally clause of the user's; the stop goes on
        logger.exception("%s failed when it was closed", name)
