"""Is it a document of JSON?"""

from __future__ import annotations

from crawler.scrapy.http.response.text import TextResponse


class JsonResponse(TextResponse):
    """A response that is JSON."""

    __slots__ = ()
    _fixed_kind = "json"
