"""What does a callback give, and what do the callbacks of its requests, level by level?

The callbacks run in a crawl as ever; what goes by on the way to the engine is noted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any

from itemadapter import ItemAdapter

from crawler.events import ItemScraped
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.results import every
from crawler.spider import Spider, default_callback

if TYPE_CHECKING:
    from twisted.python.failure import Failure


@dataclass(slots=True)
class Level:
    """What the callbacks of one depth gave: items, as they came out of the stages, and requests."""

    items: list[dict[str, Any]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)


class Parsed:
    """The items and requests by level; ``depth`` is the last level whose pages are fetched, the first is 1.

    ``came``: whether the first page has come; ``error`` is why it has not.
    """

    def __init__(self, depth: int) -> None:
        self.levels = [Level()]
        self.came = False
        self.error: BaseException | None = None
        self._depth = depth
        self._level_of: dict[Response, int] = {}

    def first(self, request: Request, spider: Spider) -> Request:
        """Return the request to begin with."""
        return self._noted(request, spider, 0).replace(errback=self._failed)

    def scraped(self, event: ItemScraped) -> None:
        """Note an item that has gone through the stages; for ``events.subscribe``."""
        level = self._level_of.get(event.response, 0) if event.response is not None else 0
        self._level(level).items.append(ItemAdapter(event.item).asdict())

    def _failed(self, failure: Failure) -> None:
        self.error = failure.value

    def _level(self, number: int) -> Level:
        while len(self.levels) <= number:
            self.levels.append(Level())
        return self.levels[number]

    def _noted(self, request: Request, spider: Spider, number: int) -> Request:
        """Return the request with a callback that notes what its own gives, and passes on what is to be fetched."""
        callback = request.callback or default_callback(spider)
        if isinstance(callback, str):
            callback = getattr(spider, callback)

        @wraps(callback)
        async def noted(response: Response, **cb_kwargs: Any) -> AsyncIterator[Any]:
            self.came = True
            self._level_of[response] = number
            async for result in every(callback(response, **cb_kwargs)):
                if not isinstance(result, Request):
                    yield result
                    continue
                self._level(number).requests.append(result)
                if number + 1 < self._depth:
                    yield self._noted(result, spider, number + 1)

        return request.replace(callback=noted)
