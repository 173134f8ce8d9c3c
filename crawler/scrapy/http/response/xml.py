"""Is it a document of XML?"""

from __future__ import annotations

from crawler.scrapy.http.response.text import TextResponse


class XmlResponse(TextResponse):
    """A response that is XML."""

    __slots__ = ()
    _fixed_kind = "xml"
