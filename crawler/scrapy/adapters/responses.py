"""How does a response that the engine made become one that code written for Scrapy knows?"""

from __future__ import annotations

from functools import lru_cache

from crawler.model.response import Response as NativeResponse
from crawler.model.url import is_http
from crawler.scrapy.http.request import as_scrapy_request
from crawler.scrapy.http.response import Response
from crawler.scrapy.responsetypes import responsetypes


@lru_cache(maxsize=256)
def _stated(content_type: bytes | None) -> type[Response]:
    return Response if content_type is None else responsetypes.from_content_type(content_type)


def as_scrapy(response: NativeResponse) -> Response:
    """Give a response, and its request, the classes of the dialect, in place; one that has them stays as it is.

    The URL of what came by HTTP has no fragment, as in Scrapy.
    """
    if not isinstance(response, Response):
        url = response._url
        if "#" in url and is_http(url):
            response._url = url = url.partition("#")[0]
        headers = response.headers
        stated = Response if b"Content-Encoding" in headers else _stated(headers.get(b"Content-Type"))
        if stated is Response:
            stated = responsetypes.from_args(headers, url, body=response.body)
        response.__class__ = stated
        response._kind = stated._fixed_kind
        if response._encoding is None:
            response._codec = None
        response._selector = response._text = response._base = None
        if response.request is not None:
            as_scrapy_request(response.request)
            if response.latency is not None:  # middlewares and extensions ask the request for it
                response.request.meta["download_latency"] = response.latency
    return response  # type: ignore[return-value]  # it is one now
