"""How is a request of start() told from others?"""

from __future__ import annotations

from typing import Any

from crawler.scrapy.spidermiddlewares.base import BaseSpiderMiddleware


class StartSpiderMiddleware(BaseSpiderMiddleware):
    """Writes meta ``is_start_request``."""

    def get_processed_request(self, request: Any, response: Any) -> Any:
        """Mark it, if it is one."""
        if response is None:
            request.meta.setdefault("is_start_request", True)
        return request
