"""Through which proxy does a request go? Scrapy's module of that name; the crawler does it at the wire."""

from __future__ import annotations

from typing import Any

from crawler.scrapy.adapters.wire import AtTheWire


class HttpProxyMiddleware(AtTheWire):
    """Stands for the downloader's choice: meta ``proxy``, with its credentials, or the environment's."""

    setting = "HTTPPROXY_ENABLED"

    def __init__(self, auth_encoding: str | None = "latin-1") -> None:
        super().__init__()
        self.auth_encoding = auth_encoding

    @classmethod
    def given(cls, crawler: Any) -> tuple[Any, ...]:
        """Return HTTPPROXY_AUTH_ENCODING."""
        return (crawler.settings.get("HTTPPROXY_AUTH_ENCODING", "latin-1"),)
