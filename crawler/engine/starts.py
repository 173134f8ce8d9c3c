"""When is the next result of start() taken?

Never ahead of need: while a slot is free and the frontier has nothing ready. Results go to the store
in small chunks, in order, each with how far start() has come, so that a resume can skip what was
delivered: requests by their fingerprint, items by a digest, each as often as it was delivered.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from crawler.engine.callbacks import Callbacks
from crawler.engine.clock import Clock
from crawler.engine.unit import Unit
from crawler.model.response import Response

AHEAD = 10_000
"""So many requests may wait in memory before start() is pulled no further."""

CHUNK = 1000
"""Most results of start() in one commit."""


class Starts:
    """Pulls start() and makes its results into units.

    ``take(result, unit)`` accepts one result into a chunk's unit; ``done(unit)`` is called for each
    chunk in order, when it is complete. ``digest(result)`` is a 64-bit number.
    """

    def __init__(
        self,
        callbacks: Callable[..., Callbacks],
        *,
        clock: Clock,
        take: Callable[[Any, Unit], None],
        digest: Callable[[Any], int],
        open_unit: Callable[[Callable[[Unit], None]], Unit],
        done: Callable[[Unit], None],
        failed: Callable[[BaseException, Unit, str, Response | None], None],
    ) -> None:
        self._clock = clock
        self._accept = take
        self._digest = digest
        self._open_unit = open_unit
        self._done = done
        self._failed = failed
        self._callbacks = callbacks(room=self._wanted, take=self._take, failed=self._raised)
        self._quota = 0
        self._chunk: Unit | None = None
        self._chunk_size = 0
        self._chunks: deque[Unit] = deque()
        self._delivered: Counter[int] = Counter()
        self._count = 0
        self._stopped = False
        self._error = False
        self._lost = False
        self.ended = True

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
        self._close_chunk()

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
        unit = self._chunk or self._new_chunk()
        unit.start_digests.append(digest)
        unit.start_count = self._count
        self._accept(result, unit)
        self._chunk_size += 1
        if self._chunk_size >= CHUNK:
            self._close_chunk()

    def _new_chunk(self) -> Unit:
        self._chunk = unit = self._open_unit(self._chunk_done)
        self._chunk_size = 0
        self._chunks.append(unit)
        self._clock.callLater(0, self._close_chunk, unit)
        return unit

    def _close_chunk(self, which: Unit | None = None) -> None:
        unit = self._chunk
        if unit is not None and which in (None, unit):
            self._chunk = None
            unit.end_one()

    def _chunk_done(self, _: Unit) -> None:
        # In order: a later chunk's count would make a resume skip an earlier chunk that was lost.
        while self._chunks and self._chunks[0].pending == 0:
            chunk = self._chunks.popleft()
            self._lost = self._lost or chunk.abandoned
            chunk.start_ended = chunk.start_ended and not self._lost  # a resume must bring the lost chunk again
            self._done(chunk)

    def _raised(self, error: BaseException, _: Unit, name: str, response: Response | None) -> None:
        self._error = True
        self._failed(error, self._chunk or _, name, response)

    def _over(self, _: Unit) -> None:
        if self._stopped:
            return
        unit = self._chunk or self._new_chunk()
        unit.start_count = self._count
        unit.start_ended = not self._error
        self.ended = True
        self._close_chunk()
