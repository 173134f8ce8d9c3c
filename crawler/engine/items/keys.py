"""By which key is an item found again in another run?

ITEM_KEY names a field, several, or is a function of the item. Without one it is the page's URL and the item's number
there, in the order in which the callback yielded them: what a stage drops leaves a gap.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from itemadapter import ItemAdapter

from crawler.engine.frames import message_of
from crawler.engine.keeping.unit import Unit
from crawler.model.keyed import Keyed
from crawler.model.response import Response

logger = logging.getLogger(__name__)

KeyOf = Callable[[Any], Any]


def key_of_fields(fields: str | list[str]) -> KeyOf:
    """Return a function of an item that gives the value of a field, or a list of the values of several."""
    if isinstance(fields, str):
        return lambda item: ItemAdapter(item)[fields]
    return lambda item: [ItemAdapter(item)[field] for field in fields]


class ItemKeys:
    """Numbers the items of each page, and gives each its key. ``key_of``: ITEM_KEY, None for the number alone."""

    def __init__(self, key_of: KeyOf | None) -> None:
        self._key_of = key_of
        self._warned = False

    def number(self, unit: Unit, response: Response | None) -> int:
        """Return the number of an item that was just yielded. (A unit has items of several pages if it has carried
        requests.)"""
        page = "" if response is None else response.url
        number = unit.numbers.get(page, 0)
        unit.numbers[page] = number + 1
        return number

    def keyed(self, item: Any, unit: Unit, response: Response | None, number: int) -> Keyed:
        """Return an item with where it comes from."""
        request = unit.request
        page = "start()" if response is None else response.url
        place = number if request is not None and request.url == page else -1 - number
        return item, unit.token, page, place if self._key_of is None else self._key(item, place)

    def _key(self, item: Any, place: int) -> str | int:
        assert self._key_of is not None
        try:
            key = self._key_of(item)
            if key is not None:
                return key if isinstance(key, str) else json.dumps(key, ensure_ascii=False, default=str)
            problem = "it is None"
        except BaseException as error:  # a function of the user's; sys.exit(), too, costs nothing but the key
            problem = f"{type(error).__name__}: {message_of(error)}"
        if not self._warned:
            self._warned = True
            logger.warning("ITEM_KEY has no key for %.200r (%s): such items go by their page and number", item, problem)
        return place
