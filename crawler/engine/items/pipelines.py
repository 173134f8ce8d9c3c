"""How do items get through the stages, when is there room for more, and what does the commit get of them?

Whatever left the last stage is copied once more, into values that run no code of the user's when they are
stored or written: plain types, and item objects of them. All that an object does when it is looked at (an
iterator, a property, ``__str__``) it does here, where its error costs this item alone.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from os import PathLike, fspath
from typing import Any, TypeVar

from itemadapter import ItemAdapter

from crawler.engine.ending import Ending
from crawler.engine.frames import message_of
from crawler.engine.items.keys import ItemKeys
from crawler.engine.items.stage import Outcome, Travelling
from crawler.engine.items.stage_kinds import AsyncStage, ThreadStage
from crawler.engine.keeping.unit import Unit, Unsure, first_added
from crawler.engine.life import Kind
from crawler.engine.user_code.patience import Patience
from crawler.errors import CloseSpider, DropItem, LocalFailure, RequestDropped
from crawler.events import Events, ItemDropped, ItemFailed, ItemScraped
from crawler.frontier.store import MemoryChange, Store
from crawler.model.copied import DEEPEST, Other, as_it_is, copied
from crawler.model.masking import masked
from crawler.model.response import Response
from crawler.pipeline import Change

logger = logging.getLogger(__name__)

T = TypeVar("T")

_warned: set[str] = set()
_REMEMBERED = 1000


class Unwritable(Exception):
    """An item holds what cannot be written; the message names the field."""


def plain(item: T) -> T:
    """Return the item with values of plain types alone; raises Unwritable."""
    try:
        made: T = copied(item, _plain)
        if type(made) is not dict:
            dict(ItemAdapter(made))  # the feeds will: its class may have methods of its own for it
    except BaseException as error:  # sys.exit(), too, is the end of this item and of nothing else
        raise Unwritable(_where(item, _plain)) from error
    return made


def own(item: T) -> T:
    """Return the copy that a stage may have; raises Unwritable."""
    try:
        copy: T = copied(item)
    except BaseException as error:
        raise Unwritable(_where(item, as_it_is)) from error
    return copy


def _where(item: Any, other: Other) -> str:
    """Say which field is to blame."""
    try:
        for name, value in ItemAdapter(item).items():
            try:
                copied(value, other, 1)
            except BaseException as error:
                return f"the field {name!r:.60} ({type(value).__name__}) cannot be copied: {_said(error)}"
    except BaseException as error:
        return f"the {type(item).__name__} cannot be read: {_said(error)}"
    return f"the {type(item).__name__} was changed while it was read"


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {message_of(error)}"


def _plain(value: Any, depth: int) -> Any:
    """Return what stands for a value that is no container."""
    if isinstance(value, Enum):
        copied(value.value, _plain, depth)
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    if isinstance(value, datetime.datetime | datetime.time | datetime.date):
        text = value.isoformat()  # asks the time zone, which may be the user's
        if type(value) in (datetime.datetime, datetime.time):
            return value
        return (datetime.datetime if isinstance(value, datetime.datetime) else datetime.date).fromisoformat(text)
    if isinstance(value, PathLike):
        path = fspath(value)
        return path if isinstance(path, str) else path.decode(errors="replace")
    if depth <= DEEPEST:
        if isinstance(value, Mapping):
            return copied(dict(value), _plain, depth)
        if isinstance(value, Iterable) and not isinstance(value, Iterator | type):
            return copied(list(value), _plain, depth)
    # Something that is no data: str(value), with one warning of its type.
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    text = str.__str__(str(value))
    if name not in _warned and len(_warned) < _REMEMBERED:
        _warned.add(name)
        logger.warning("Values of type %s are written as text; was a .get() forgotten?", name)
    return text


TAKING, KEEPING = "yield", "crawler"
"""Where an item is lost that no stage has lost: as it was yielded, or as it was to be kept."""


class _Item(Travelling):
    """An item on its way through the stages of ``pipelines``."""

    __slots__ = ("number", "pipelines")

    def __init__(self, item: Any, unit: Unit, response: Response | None, pipelines: Pipelines, number: int) -> None:
        super().__init__(item, unit, response, [] if pipelines.shared else unit.changes)
        self.pipelines = pipelines
        self.number = number

    def leaves(self, outcome: Outcome) -> None:
        """Go on to the next stage, or end."""
        self.pipelines.left(self, outcome)


class Pipelines:
    """The stages in their order. An item that left the last one joins its unit's items.

    The first stage gets a copy of what was yielded, the unit a copy of what the last one returned, in values of
    plain types. A store that wants to see the latter may raise: then that item is lost, and nothing else. ``shared``:
    other workers' stages remember things for the same job, so that each change is kept with the item it was made for.
    ``keys``: items are kept with where they come from. ``loose``: what is no item is scraped, too, and goes to no feed.
    """

    def __init__(
        self,
        stages: Sequence[ThreadStage | AsyncStage],
        store: Store,
        *,
        patience: Patience,
        ending: Ending,
        events: Events,
        keys: ItemKeys | None = None,
        loose: bool = False,
    ) -> None:
        self._stages = stages
        self._keys = keys
        self._loose = loose
        self.shared = store.takes
        self._keep: Callable[[Any], None] | None = getattr(store, "keep_item", None)
        self._patience = patience
        self._ending = ending
        self._ledger = ending.life.ledger
        self._life = ending.life
        self._events = events
        self._going_in: _Item | None = None

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
        """Close the stages, the last one first; returns the errors of those whose close_spider raised."""
        errors: list[tuple[str, BaseException]] = []
        for stage in reversed(self._stages):
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
        number = 0 if self._keys is None else self._keys.number(unit, response)
        if not self._stages:
            self._end(item, unit, response, unit.changes, number)
            return
        try:
            first = own(item)
        except Unwritable as error:
            if not self._loose:
                self._events.publish(ItemFailed(item, TAKING, error, response))
                return
            first = item  # a stage may make an item of it
        travelling = _Item(first, unit, response, self, number)
        self._ledger.begin(Kind.ITEM)
        unit.hold()
        self._going_in = travelling
        self._stages[0].put(travelling)
        self._going_in = None

    def _end(self, item: Any, unit: Unit, response: Response | None, changes: list[Change], number: int) -> None:
        """An item has left the last stage."""
        if self._loose and type(item) is not dict and not ItemAdapter.is_item(item):
            if item is not None:
                logger.error("%s is no item, so that no feed has it: %.80r", type(item).__name__, item)
            self._events.publish(ItemScraped(item, response))
            return
        try:
            kept = plain(item)
            if self._keys is not None:
                kept = self._keys.keyed(kept, unit, response, number)
            if self._keep is not None:
                self._keep(kept)
        except BaseException as error:
            self._events.publish(ItemFailed(item, KEEPING, error, response))
            return
        unit.items.append(kept)
        if changes is not unit.changes and (added := first_added(changes)):
            unit.unsure += (Unsure(len(unit.items) - 1, added, item, response),)
        elif self._events.wants(ItemScraped):
            self._events.publish(ItemScraped(item, response))

    def left(self, item: _Item, outcome: Outcome) -> None:
        """A stage is done with an item."""
        if self._life.cut:
            return
        stage, error, unit = self._stages[item.at].name, outcome.error, item.unit
        items = len(unit.items)
        if error is None:
            item.item = outcome.item
            item.at += 1
            if item.at < len(self._stages):
                self._stages[item.at].put(item)
                return
            self._end(item.item, unit, item.response, item.changes, item.number)
        elif isinstance(error, DropItem):
            reason = masked(message_of(error))
            level = error.log_level or "WARNING"
            self._events.publish(ItemDropped(item.item, stage, reason, item.response, level, error))
        elif isinstance(error, LocalFailure):
            # What belongs to the item cannot be kept, and nor can what comes next: a resume asks for its page again.
            unit.abandoned = True
            self._ending.fail(error)
        elif not (unit.abandoned and isinstance(error, RequestDropped)):  # a stop has ended its inline fetch
            self._events.publish(ItemFailed(item.item, stage, error, item.response))
            if isinstance(error, CloseSpider):
                self._ending.stop(error.reason)
        if item.changes is not unit.changes:
            place = items if len(unit.items) > items else -1
            unit.memory += [MemoryChange(*change, place) for change in item.changes]
        self._ledger.end(Kind.ITEM)
        unit.end_one()
        if item is not self._going_in:  # it is through before its callback goes on: nobody waits for its room
            self._ledger.changed()
