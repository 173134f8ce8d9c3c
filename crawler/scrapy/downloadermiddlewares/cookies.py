"""Which cookies are kept and sent? Scrapy's module of that name; the crawler does it at the wire."""

from __future__ import annotations

from typing import Any

from crawler.scrapy.adapters.wire import AtTheWire


class CookiesMiddleware(AtTheWire):
    """Stands for the crawler's cookie jars; meta ``cookiejar`` names one."""

    setting = "COOKIES_ENABLED"

    def __init__(self, debug: bool = False) -> None:
        super().__init__()
        self.debug = debug

    @classmethod
    def given(cls, crawler: Any) -> tuple[Any, ...]:
        """Return COOKIES_DEBUG."""
        return (crawler.settings.getbool("COOKIES_DEBUG"),)
