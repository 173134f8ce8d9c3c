"""When does a notice leave for its place, how often is it tried, and what if nobody takes it?

Nothing here harms a crawl or waits for it: what cannot be delivered is logged once, by the place's name.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from crawler.engine.clock import Clock
from crawler.notices.notice import Notice, NotSent, notice
from crawler.notices.places import Place

logger = logging.getLogger("crawler.notices")

ATTEMPT_SECONDS = 20.0
PAUSES = (2.0, 10.0)
"""Seconds before the second and the third attempt, the last."""

HOUR = 3600.0
MOST_WAITING = 100


class Delivery:
    """What goes to one place, one notice after another.

    ``per_hour`` is the most that is sent in an hour; ``sent`` are the times of these (seconds since the epoch), also of
    earlier runs. What is too much is held back, and goes as titles into the next that may be sent.
    """

    def __init__(
        self, place: Place, send: Callable[[Place, Notice], Awaitable[None]], clock: Clock, *, per_hour: int
    ) -> None:
        self.place = place
        self.sent: list[float] = []
        self._send = send
        self._clock = clock
        self._per_hour = per_hour
        self._waiting: deque[Notice] = deque()
        self._held_back: list[str] = []
        self._at_work: Deferred[None] | None = None
        self._idle: list[Deferred[None]] = []
        self._closing = False

    def __repr__(self) -> str:
        return f"<Delivery to {self.place.name}: {len(self._waiting)} wait, {len(self._held_back)} are held back>"

    def tell(self, told: Notice, *, at_once: bool = False) -> None:
        """Take a notice; ``at_once``: however many there were."""
        if not at_once and (not self._may_send() or len(self._waiting) >= MOST_WAITING):
            self._held_back.append(told.title)
            return
        self._put(told)

    def tell_held_back(self, *, at_once: bool = False) -> None:
        """Let what was held back go, if it may by now."""
        if self._held_back and (at_once or self._may_send()):
            count, titles = len(self._held_back), self._held_back
            self._held_back = []
            said = f"{count} more {'notice' if count == 1 else 'notices'}"
            self._put(notice("held back", "rules", said, titles))

    def _may_send(self) -> bool:
        now = self._clock.wall()
        self.sent = [time for time in self.sent if now - HOUR < time <= now]
        return len(self.sent) < self._per_hour

    def _put(self, told: Notice) -> None:
        if self._held_back:
            told = notice(told.key, told.occasion, told.title, [*told.lines, "Before:", *self._held_back])
            self._held_back = []
        self.sent.append(self._clock.wall())
        self._waiting.append(told)
        if self._at_work is None:
            self._at_work = Deferred.fromCoroutine(self._work())
            self._at_work.addBoth(self._rest)

    async def _work(self) -> None:
        while self._waiting:
            told = self._waiting.popleft()
            try:
                await self._deliver(told)
            except CancelledError:
                raise
            except Exception:  # an error of ours: the others are to be told all the same
                logger.exception("The notice %r to %s could not be made", told.title, self.place.name)

    async def _deliver(self, told: Notice) -> None:
        for pause in (*PAUSES, None):
            attempt: Deferred[None] = Deferred.fromCoroutine(_only(self._send(self.place, told)))
            attempt.addTimeout(ATTEMPT_SECONDS, self._clock, _late)  # type: ignore[arg-type]  # has callLater
            try:
                await attempt
            except NotSent as error:
                if pause is None or not error.again:
                    logger.warning("The notice %r did not go to %s: %s", told.title, self.place.name, error)
                    return
                logger.debug("The notice %r did not go to %s yet: %s", told.title, self.place.name, error)
            else:
                return
            await deferLater(self._clock, pause)  # type: ignore[arg-type]  # as above

    def _rest(self, _: object) -> None:
        self._at_work = None
        idle, self._idle = self._idle, []
        for deferred in idle:
            deferred.callback(None)

    def close(self, seconds: float) -> Deferred[None]:
        """Wait until all is told, but no longer than so many seconds; what was not told then is logged."""
        over: Deferred[None] = Deferred()
        if self._at_work is None:
            over.callback(None)
            return over
        self._idle.append(over)
        call = self._clock.callLater(seconds, self._give_up)
        return over.addCallback(lambda _: call.cancel() if call.active() else None)

    def _give_up(self) -> None:
        logger.warning("%s has not taken the last notices in time; they are left", self.place.name)
        self._waiting.clear()
        if self._at_work is not None:
            self._at_work.cancel()


async def _only(awaited: Awaitable[None]) -> None:
    await awaited


def _late(_: object, seconds: float) -> None:
    raise NotSent(f"no answer in {seconds:.0f} seconds", again=True)
