"""Does the spider accept a response of this status?"""

from __future__ import annotations

from dataclasses import dataclass

from crawler.errors import HttpError
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.verdict import GiveUp


@dataclass(frozen=True, slots=True)
class StatusRules:
    """The settings of those names, and the spider's ``handle_httpstatus_list`` (None: it has none)."""

    httperror_allow_all: bool = False
    httperror_allowed_codes: frozenset[int] = frozenset()
    handle_httpstatus_list: frozenset[int] | None = None


def status_verdict(request: Request, response: Response, rules: StatusRules) -> GiveUp | None:
    """Return GiveUp(HttpError) unless the status is 2xx or asked for.

    The first that is there decides, as in Scrapy's HttpErrorMiddleware: meta handle_httpstatus_all, meta
    handle_httpstatus_list, HTTPERROR_ALLOW_ALL, the spider's handle_httpstatus_list,
    HTTPERROR_ALLOWED_CODES.
    """
    status = response.status
    if 200 <= status < 300:
        return None
    meta = request.meta
    if meta.get("handle_httpstatus_all"):
        return None
    allowed = meta.get("handle_httpstatus_list")
    if allowed is None:
        if rules.httperror_allow_all:
            return None
        allowed = rules.handle_httpstatus_list
    if allowed is None:
        allowed = rules.httperror_allowed_codes
    if status in allowed:
        return None
    return GiveUp(HttpError(f"status {status} of {response.url}", response=response, request=request))
