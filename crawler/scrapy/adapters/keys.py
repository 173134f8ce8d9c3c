"""Which keys of a request's meta mean something in a Scrapy project alone, and whose domains are they?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from crawler.assembly.rules import UnreadKeys
from crawler.model.request import Request
from crawler.policy.scope import RequestFilter, SpidersDomains
from crawler.scrapy.adapters import chain
from crawler.scrapy.downloadermiddlewares.httpauth import HttpAuthMiddleware

READ_TOO: Final = ("http_auth_domain", "http_pass", "http_user", "give_up_log_level", "verbatim_url")
"""By thin middlewares, and by the dialect's Request."""


class AuthKeys:
    """Does what HttpAuthMiddleware does, where that does not stand in the path."""

    def __init__(self) -> None:
        self._authorized = HttpAuthMiddleware().process_request

    def __call__(self, request: Request, found_on: Any) -> Request:
        """See crawler.policy.scope.RequestFilter."""
        if "http_user" in request.meta or "http_pass" in request.meta:
            self._authorized(request)
        return request


def filters_within(filters: Iterable[RequestFilter], crawler: Any) -> list[RequestFilter]:
    """Return the crawler's filters as a project has them: without the scope if a middleware of its own has that."""
    scoped = chain.scoped(crawler)
    kept = [each for each in filters if scoped or not isinstance(each, SpidersDomains)]
    told: list[RequestFilter] = [UnreadKeys(READ_TOO) if isinstance(each, UnreadKeys) else each for each in kept]
    return told if chain.in_path(crawler) else [*told, AuthKeys()]
