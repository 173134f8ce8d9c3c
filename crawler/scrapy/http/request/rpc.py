"""How is a call by XML-RPC sent, where a project was written for Scrapy?"""

from __future__ import annotations

import xmlrpc.client
from typing import Any

from crawler.scrapy.http.request import Request

_OF_CALL = ("params", "methodname", "methodresponse", "encoding", "allow_none")


class XmlRpcRequest(Request):
    """A request whose body is the call that ``params``, ``methodname`` … make, by POST (Scrapy's XmlRpcRequest)."""

    __slots__ = ()

    def __init__(self, *args: Any, encoding: str | None = None, **kwargs: Any) -> None:
        if "body" not in kwargs and "params" in kwargs:
            kwargs["body"] = xmlrpc.client.dumps(**{name: kwargs.pop(name) for name in _OF_CALL if name in kwargs})
        kwargs.setdefault("method", "POST")
        kwargs.setdefault("dont_filter", True)  # calls of different bodies go to one URL
        if encoding is not None:
            kwargs["encoding"] = encoding
        super().__init__(*args, **kwargs)
        self.headers.setdefault("Content-Type", "text/xml")
