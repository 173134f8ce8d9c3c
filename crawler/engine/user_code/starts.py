"""When is the next result of start() taken?

Never ahead of need: while a slot is free and the frontier has nothing ready. Each result goes to the
store in a unit of its own, with its digest, so that a resume can skip what was delivered: requests by
their fingerprint, items by a digest, each as often as it was delivered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from crawler.engine.keeping.unit import Unit
from crawler.engine.user_code.callbacks import Callbacks
from crawler.model.response import Response

AHEAD = 10_000
"""So many requests may wait in memory before start() is pulled no further."""


class Starts:
    """Pulls start() and makes its results into units.

    ``take(result, unit)`` accepts one result into its unit; ``done(unit)`` is called for each that is
    complete. ``digest(result)`` is a 64-bit number.
    """

    def __init__(
        self,
        callbacks: Callable[..., Callbacks],
        *,
        take: Callable[[Any, Unit], None],
        digest: Callable[[Any], int],
        open_unit: Callable[[Callable[[Unit], None]], Unit],
        done: Callable[[Unit], None],
        failed: Callable[[BaseException, Unit, str, Response | None], None],
    ) -> None:
        self._accept = take
        self._digest = digest
        self._open_unit = open_unit
        self._done = done
        self._callbacks = callbacks(room=self._wanted, take=self._take, failed=self._raised)
        self._failed = failed
        self._quota = 0
        self._under_way = 0
        self._end: Unit | None = None
        self._delivered: Counter[int] = Counter()
        self._count = 0
        self._stopped = False
        self._incomplete = False
        self._raising = False
        self.ended = True

    @property
    def broken_off(self) -> bool:
        """Whether start() itself raised after it had delivered something, be it in an earlier run of the job."""
        return self._raising and self._count > 0

    def begin(self, start: Callable[[], Any], *, count: int, digests: list[int]) -> None:
        """Call start(); ``count`` and ``digests`` tell what an earlier run of the job has delivered."""
        self.ended = False
        self._count = count
        self._delivered = Counter(digests)
        self._callbacks.run(start, "start", Unit(None, self._over), None)

    def want(self, count: int) -> None:
        """Let up to ``count`` further results be taken; they may come in a later turn of the reactor."""
        if not self.ended and not self._stopped:
            self._quota = max(self._quota, count)
            self._callbacks.go_on()

    def stop(self) -> None:
        """Take nothing more."""
        self._stopped = True
        self._quota = 0
        self._callbacks.stop()

    def _wanted(self) -> bool:
        return self._quota > 0

    def _take(self, result: Any, _: Unit, __: Response | None) -> None:
        if result is None or self._stopped:
            return
        digest = self._digest(result)
        if self._delivered.get(digest, 0) > 0:
            self._delivered[digest] -= 1
            return
        self._quota -= 1
        self._count += 1
        self._under_way += 1
        unit = self._open_unit(self._unit_done)
        unit.start_digests.append(digest)
        unit.start_count = self._count
        try:
            self._accept(result, unit)
        finally:
            unit.end_one()

    def _unit_done(self, unit: Unit) -> None:
        self._under_way -= 1
        self._incomplete = self._incomplete or unit.abandoned
        self._done(unit)
        self._end_if_complete()

    def _raised(self, error: BaseException, unit: Unit, name: str, response: Response | None) -> None:
        self._incomplete = True
        self._raising = not len(self._callbacks)  # else it goes on: one of its results was not acceptable
        self._failed(error, unit, name, response)

    def _over(self, _: Unit) -> None:
        if self._stopped:
            return
        self.ended = True
        self._end = self._open_unit(self._done)
        self._end.start_count = self._count
        self._end_if_complete()

    def _end_if_complete(self) -> None:
        """Let the job know that start() has ended once all of its results are kept: a resume does not run it again."""
        if self._end is not None and self._under_way == 0:
            end, self._end = self._end, None
            end.start_ended = not self._incomplete  # what failed or was abandoned must come again
            end.end_one()
