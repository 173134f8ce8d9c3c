"""When is the next result of start() taken, and how is it recognised when start() runs again?

Never ahead of need: while a slot is free and the frontier has nothing ready. Each result goes to the
store in a unit of its own, with its digest, so that a resume can skip what was delivered: requests by
their fingerprint, items by a digest, each as often as it was delivered. These units are parts of the one of
start() itself, which tells the job that start() has ended, once all of its results are kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from itemadapter import ItemAdapter

from crawler.engine.ending import Ending
from crawler.engine.keeping.unit import Unit, UnitKeeper
from crawler.engine.machine import Machine
from crawler.engine.user_code.callbacks import Taker
from crawler.engine.user_code.told import callbacks_of
from crawler.frontier.frontier import Frontier
from crawler.frontier.store import Store
from crawler.model.request import Request
from crawler.model.response import Response

AHEAD = 10_000
"""So many requests may wait in memory before start() is pulled no further, if they wait in memory alone."""


class Starts:
    """Pulls start() and hands its results on to ``taker``, each in a unit of its own.

    ``memory`` is where requests wait, if it is in memory alone; ``running`` is empty when start() has ended.
    """

    def __init__(
        self,
        machine: Machine,
        taker: Taker,
        keeper: UnitKeeper,
        ending: Ending,
        fingerprint: Callable[[Request], int],
        store: Store,
        *,
        memory: Frontier | None,
    ) -> None:
        self.flat = taker.flat
        self._memory = memory
        self._taker = taker
        self._keeper = keeper
        self._ending = ending
        self._fingerprint = fingerprint
        self._callbacks = callbacks_of(store, machine, self, ending.life.ledger)
        self.running = self._callbacks.running
        self._quota = 0
        self._whole: Unit | None = None
        self._delivered: Counter[int] = Counter()
        self._raising = False
        self._count = 0

    @property
    def broken_off(self) -> bool:
        """Whether start() itself raised after it had delivered something, be it in an earlier run of the job."""
        return self._raising and self._count > 0

    def begin(self, start: Callable[[], Any], *, count: int, digests: list[int]) -> None:
        """Call start(); ``count`` and ``digests`` tell what an earlier run of the job has delivered."""
        self._count = count
        self._delivered = Counter(digests)
        self._whole = self._keeper.open(None)
        self._whole.start_count = count
        self._whole.start_ended = True  # unless something of it must come again
        self._callbacks.run(start, "start", self._whole, None)

    def want(self, count: int) -> None:
        """Let up to ``count`` further results be taken; they may come in a later turn of the reactor."""
        if self._whole is None or (self._memory is not None and self._memory.queued_in_memory >= AHEAD):
            return
        self._quota = max(self._quota, count)
        if self._callbacks.waiting:
            self._callbacks.go_on()

    def stop(self) -> None:
        """Take nothing more."""
        self._quota = 0
        if self._callbacks.stop() and self._whole is not None:
            self._whole.end_one()

    def room(self) -> bool:
        """Tell whether another result is wanted."""
        return self._quota > 0

    def take(self, result: Any, whole: Unit, response: Response | None) -> None:
        """Take one result of start() into a unit of its own, unless it was delivered before."""
        if result is None or not self._ending.life.begins:
            return
        number = digest(result, self._fingerprint)
        if self._delivered.get(number, 0) > 0:
            self._delivered[number] -= 1
            return
        self._quota -= 1
        self._count += 1
        unit = self._keeper.open(None, part_of=whole)
        unit.start_digests.append(number)
        unit.start_count = whole.start_count = self._count
        try:
            self._taker.take(result, unit, response)
        finally:
            unit.end_one()

    def failed(self, error: BaseException, unit: Unit, name: str, response: Response | None) -> None:
        """start() raised, or yielded what is not acceptable: a resume runs it again."""
        unit.start_ended = False
        self._raising = not self.running  # else it goes on: one of its results was not acceptable
        self._taker.failed(error, unit, name, response)


def digest(result: Any, fingerprint: Callable[[Request], int]) -> int:
    """Return an unsigned 64-bit number: a request's fingerprint, or a digest of an item's fields."""
    if isinstance(result, Request):
        return fingerprint(result) if result.problem is None else _number(result.url)
    if ItemAdapter.is_item(result):
        return _number(repr(sorted(ItemAdapter(result).asdict().items(), key=lambda pair: str(pair[0]))))
    return _number(repr(result))


def _number(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
