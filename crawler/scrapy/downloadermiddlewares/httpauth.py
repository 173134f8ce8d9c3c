"""Which requests carry a user and a password (HTTP Basic)? Scrapy's module of that name."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, Self

from crawler.policy.scope import OffsiteFilter
from crawler.scrapy import signals


class HttpAuthMiddleware:
    """Sets Authorization by meta ``http_user``, ``http_pass`` and ``http_auth_domain``, else by the settings
    HTTPAUTH_USER, HTTPAUTH_PASS and HTTPAUTH_DOMAIN, or the spider's attributes of those names."""

    def __init__(self) -> None:
        self._auth: bytes | None = None
        self._domain: str | None = None

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the middleware of a crawl. Raises ValueError for a password that no domain is given for."""
        made = cls()
        settings = crawler.settings
        user, password = settings.get("HTTPAUTH_USER", ""), settings.get("HTTPAUTH_PASS", "")
        if user or password:
            if not settings.getpriority("HTTPAUTH_DOMAIN"):
                raise ValueError(
                    "HTTPAUTH_USER and HTTPAUTH_PASS need HTTPAUTH_DOMAIN, the domain that they are for, "
                    "such as 'example.com'; None sends them with all requests"
                )
            made._auth, made._domain = _basic(user, password), settings.get("HTTPAUTH_DOMAIN")
        crawler.signals.connect(made.spider_opened, signal=signals.spider_opened)
        return made

    def spider_opened(self, spider: Any) -> None:
        """Look what the spider says. Raises AttributeError without http_auth_domain."""
        user, password = getattr(spider, "http_user", ""), getattr(spider, "http_pass", "")
        if user or password:
            self._auth, self._domain = _basic(user, password), spider.http_auth_domain

    def process_request(self, request: Any, spider: Any = None) -> None:
        """Set the header."""
        meta = request.meta
        if "Authorization" in request.headers:
            return
        user, password = meta.get("http_user", ""), meta.get("http_pass", "")
        auth, domain = self._auth, self._domain
        if user or password:
            auth, domain = _basic(user, password), meta.get("http_auth_domain")
        if auth and (not domain or OffsiteFilter([domain]).allows(request.host)):
            request.headers["Authorization"] = auth


def _basic(user: str, password: str) -> bytes:
    """Return the field's value (RFC 7617), in ISO-8859-1 as w3lib has it."""
    return b"Basic " + b64encode(f"{user}:{password}".encode("latin-1"))
