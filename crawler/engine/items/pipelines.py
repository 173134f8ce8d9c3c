"""How do items get through the stages, and when is there room for more?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from crawler.engine.ending import Ending
from crawler.engine.frames import message_of
from crawler.engine.items.plain import Unwritable, own, plain
from crawler.engine.items.stage import Outcome, Travelling
from crawler.engine.items.stage_kinds import AsyncStage, ThreadStage
from crawler.engine.keeping.unit import Unit
from crawler.engine.life import Kind
from crawler.engine.user_code.patience import Patience
from crawler.errors import CloseSpider, DropItem
from crawler.events import Events, ItemDropped, ItemFailed, ItemScraped
from crawler.frontier.store import Store
from crawler.model.masking import masked
from crawler.model.response import Response

logger = logging.getLogger(__name__)

TAKING, KEEPING = "yield", "crawler"
"""Where an item is lost that no stage has lost: as it was yielded, or as it was to be kept."""


class _Item(Travelling):
    """An item on its way through the stages of ``pipelines``."""

    __slots__ = ("pipelines",)

    def __init__(self, item: Any, unit: Unit, response: Response | None, pipelines: Pipelines) -> None:
        super().__init__(item, unit, response)
        self.pipelines = pipelines

    def leaves(self, outcome: Outcome) -> None:
        """Go on to the next stage, or end."""
        self.pipelines.left(self, outcome)


class Pipelines:
    """The stages in their order. An item that left the last one joins its unit's items.

    The first stage gets a copy of what was yielded, the unit a copy of what the last one returned, in values of
    plain types. A store that wants to see the latter may raise: then that item is lost, and nothing else.
    """

    def __init__(
        self,
        stages: Sequence[ThreadStage | AsyncStage],
        store: Store,
        *,
        patience: Patience,
        ending: Ending,
        events: Events,
    ) -> None:
        self._stages = stages
        self._keep: Callable[[Any], None] | None = getattr(store, "keep_item", None)
        self._patience = patience
        self._ending = ending
        self._ledger = ending.life.ledger
        self._life = ending.life
        self._events = events

    def __repr__(self) -> str:
        return f"<Pipelines {[stage.name for stage in self._stages]} inside={self._ledger.counts[Kind.ITEM]}>"

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
        for stage in self._stages:
            stage.cancel()

    def submit(self, item: Any, unit: Unit, response: Response | None) -> None:
        """Send one item through the stages."""
        if not self._stages:
            self._end(item, unit, response)
            return
        try:
            travelling = _Item(own(item), unit, response, self)
        except Unwritable as error:
            self._events.publish(ItemFailed(item, TAKING, error, response))
            return
        self._ledger.begin(Kind.ITEM)
        unit.hold()
        self._stages[0].put(travelling)

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

    def left(self, item: Travelling, outcome: Outcome) -> None:
        """A stage is done with an item."""
        if self._life.cut:
            return
        stage, error = self._stages[item.at].name, outcome.error
        if error is None:
            item.item = outcome.item
            item.at += 1
            if item.at < len(self._stages):
                self._stages[item.at].put(item)
                return
            self._end(item.item, item.unit, item.response)
        elif isinstance(error, DropItem):
            reason = masked(message_of(error))
            self._events.publish(ItemDropped(item.item, stage, reason, item.response, error.log_level))
        else:
            self._events.publish(ItemFailed(item.item, stage, error, item.response))
            if isinstance(error, CloseSpider):
                self._ending.stop(error.reason)
        self._ledger.end(Kind.ITEM)
        item.unit.end_one()
        self._ledger.changed()
