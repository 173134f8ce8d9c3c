"""How do items get through the stages, and when is there room for more?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from crawler.engine.items.plain import Unwritable, own, plain
from crawler.engine.items.stage import Passed, Work
from crawler.engine.items.stage_kinds import AsyncStage, ThreadStage, make_stage
from crawler.engine.keeping.unit import Unit
from crawler.engine.user_code.frames import message_of
from crawler.engine.user_code.patience import Patience
from crawler.engine.user_code.tasks import Drive
from crawler.errors import CloseSpider, DropItem
from crawler.events import Events, ItemDropped, ItemFailed, ItemScraped
from crawler.model.masking import masked
from crawler.model.response import Response
from crawler.threads import Pools

logger = logging.getLogger(__name__)

TAKING, KEEPING = "yield", "crawler"
"""Where an item is lost that no stage has lost: as it was yielded, or as it was to be kept."""


class Pipelines:
    """The stages in their order. An item that left the last one joins its unit's items.

    The first stage gets a copy of what was yielded, the unit a copy of what the last one returned, in values of
    plain types; ``keep`` is told of the latter, and may raise: then that item is lost, and nothing else.
    ``limit`` bounds the items inside; ``on_room`` is called when there is room again, ``on_close``
    with the reason when a stage raises CloseSpider.
    """

    def __init__(
        self,
        stages: Sequence[Any],
        spider: Any,
        *,
        events: Events,
        pools: Pools,
        drive: Drive,
        patience: Patience,
        limit: int,
        on_room: Callable[[], None],
        on_close: Callable[[str], None],
        keep: Callable[[Any], None] | None = None,
    ) -> None:
        self._events = events
        self._keep = keep
        self._patience = patience
        self._limit = limit
        self._on_room = on_room
        self._on_close = on_close
        self.inside = 0
        self._cancelled = False
        self._stages = [make_stage(stage, spider, done=self._left, pools=pools, drive=drive) for stage in stages]

    def __repr__(self) -> str:
        return f"<Pipelines {[stage.name for stage in self._stages]} inside={self.inside}>"

    @property
    def room(self) -> bool:
        """Whether a callback may produce another item."""
        return self.inside < self._limit

    async def open(self) -> None:
        """Open the stages in their order; raises what an open_spider raises, after closing those that were opened."""
        opened: list[ThreadStage | AsyncStage] = []
        try:
            for stage in self._stages:
                await self._patience.wait(stage.run_hook("open_spider"))
                opened.append(stage)
        except BaseException:
            for stage in reversed(self._stages):
                error = await self._close_one(stage, "close_spider" if stage in opened else None)
                if error is not None:
                    logger.error("%s could not be closed: %s: %s", stage.name, type(error).__name__, error)
            self._stages = []
            raise

    async def close(self) -> list[tuple[str, BaseException]]:
        """Close the stages in their order; returns the errors of those whose close_spider raised."""
        errors: list[tuple[str, BaseException]] = []
        for stage in self._stages:
            error = await self._close_one(stage, "close_spider")
            if error is not None:
                errors.append((stage.name, error))
        return errors

    async def _close_one(self, stage: ThreadStage | AsyncStage, hook: str | None) -> BaseException | None:
        error = await self._patience.ended(stage.run_hook, hook) if hook else None
        return await self._patience.ended(stage.end_threads) or error

    def cancel(self) -> None:
        """Give up the items inside: their units stay incomplete."""
        self._cancelled = True
        for stage in self._stages:
            stage.cancel()

    def submit(self, item: Any, unit: Unit, response: Response | None) -> None:
        """Send one item through the stages."""
        if not self._stages:
            self._end(item, unit, response)
            return
        try:
            work = Work(own(item), unit, response)
        except Unwritable as error:
            self._events.publish(ItemFailed(item, TAKING, error, response))
            return
        self.inside += 1
        unit.hold()
        self._stages[0].put(work)

    def _end(self, item: Any, unit: Unit, response: Response | None) -> None:
        """An item has left the last stage."""
        try:
            kept = plain(item)
            if self._keep is not None:
                self._keep(kept)
        except BaseException as error:
            self._events.publish(ItemFailed(item, KEEPING, error, response))
            return
        unit.items.append(kept)
        if self._events.wants(ItemScraped):
            self._events.publish(ItemScraped(item, response))

    def _left(self, work: Work, passed: Passed) -> None:
        if self._cancelled:
            return
        stage = self._stages[work.stage].name
        if passed.error is None:
            work.item = passed.item
            work.stage += 1
            if work.stage < len(self._stages):
                self._stages[work.stage].put(work)
                return
            self._end(work.item, work.unit, work.response)
        elif isinstance(passed.error, DropItem):
            reason = masked(message_of(passed.error))
            self._events.publish(ItemDropped(work.item, stage, reason, work.response, passed.error.log_level))
        else:
            self._events.publish(ItemFailed(work.item, stage, passed.error, work.response))
            if isinstance(passed.error, CloseSpider):
                self._on_close(passed.error.reason)
        self.inside -= 1
        work.unit.end_one()
        self._on_room()
