"""How are bodies unpacked? Scrapy's module of that name; the crawler does it at the wire."""

from __future__ import annotations

from typing import Any

from crawler.scrapy.adapters.wire import AtTheWire


class HttpCompressionMiddleware(AtTheWire):
    """Stands for the content codings of the downloader."""

    setting = "COMPRESSION_ENABLED"

    def __init__(self, stats: Any = None, *, crawler: Any = None) -> None:
        super().__init__()
        self.stats = stats

    @classmethod
    def given(cls, crawler: Any) -> tuple[Any, ...]:
        """Return the stats."""
        return (crawler.stats,)
