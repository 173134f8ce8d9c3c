"""Is it a page of HTML?"""

from __future__ import annotations

from crawler.scrapy.http.response.text import TextResponse


class HtmlResponse(TextResponse):
    """A response that is HTML."""

    __slots__ = ()
    _fixed_kind = "html"
