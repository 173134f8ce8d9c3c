"""What are the parts of a request's or a response's URL?"""

from __future__ import annotations

from typing import Any
from urllib.parse import ParseResult, urlparse
from weakref import WeakKeyDictionary

_parsed: WeakKeyDictionary[Any, ParseResult] = WeakKeyDictionary()


def urlparse_cached(request_or_response: Any) -> ParseResult:
    """Return urlparse() of the URL, made once for each object."""
    parts = _parsed.get(request_or_response)
    if parts is None:
        parts = _parsed[request_or_response] = urlparse(request_or_response.url)
    return parts
