"""Which request is a URL that somebody has typed, and why is it not asked for?

What is refused is logged: its password is masked here, once for every kind of crawl.
"""

from __future__ import annotations

from crawler.errors import SteeringError
from crawler.model.masking import masked
from crawler.model.request import Request


def typed_request(url: str) -> Request:
    """Return a request for a URL. Raises SteeringError for what is none."""
    request = Request(url, dont_filter=True)
    if request.problem is not None:
        raise SteeringError(f"{masked(url)} is no URL that can be asked for: {request.problem}")
    return request


def added_request(url: str) -> Request:
    """Return a request for a URL that is to be added. Raises SteeringError.

    No ``file:`` and ``data:``: what steers a crawl from elsewhere shall not read files here.
    """
    request = typed_request(url)
    if request.normal_url.startswith(("file:", "data:")):
        raise not_added(url, "file: and data: URLs come from start() only")
    return request


def not_added(url: str, why: object) -> SteeringError:
    """Return the error of a URL that cannot be asked for."""
    return SteeringError(f"{masked(url)} cannot be added: {why}")


def refused_by_filter(url: str, reason: str, detail: str) -> SteeringError:
    """Return the error of a URL that a filter refuses; ``detail`` may be ""."""
    return SteeringError(f"{masked(url)} is refused by a filter ({reason}{detail and f': {detail}'})")


def is_asked_for(url: str) -> str:
    """Say that a URL was added."""
    return f"{masked(url)} is asked for"
