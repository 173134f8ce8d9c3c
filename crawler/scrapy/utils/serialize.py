"""How are the values of items written as JSON?"""

from __future__ import annotations

import datetime
import decimal
import json
from typing import Any

from itemadapter import ItemAdapter, is_item
from twisted.internet.defer import Deferred

from crawler.scrapy.http import Request, Response


class ScrapyJSONEncoder(json.JSONEncoder):
    """A JSONEncoder that knows sets, dates, decimals, items, requests and responses, too."""

    def default(self, o: Any) -> Any:
        """Return what stands for a value. Raises TypeError for one that is not known."""
        if isinstance(o, set):
            return list(o)
        if isinstance(o, datetime.datetime | datetime.date | datetime.time):
            return o.isoformat()
        if isinstance(o, decimal.Decimal | Deferred):
            return str(o)
        if isinstance(o, Request):
            return f"<{type(o).__name__} {o.method} {o.url}>"
        if isinstance(o, Response):
            return f"<{type(o).__name__} {o.status} {o.url}>"
        return ItemAdapter(o).asdict() if is_item(o) else super().default(o)
