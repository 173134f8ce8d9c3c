"""Which requests, responses and headers has code written for Scrapy (docs.scrapy.org, "Requests and Responses")?"""

from __future__ import annotations

from crawler.scrapy.http.headers import Headers
from crawler.scrapy.http.request import Request, as_scrapy_request
from crawler.scrapy.http.request.form import FormRequest
from crawler.scrapy.http.request.json_request import JsonRequest
from crawler.scrapy.http.request.rpc import XmlRpcRequest
from crawler.scrapy.http.response import Response
from crawler.scrapy.http.response.html import HtmlResponse
from crawler.scrapy.http.response.json import JsonResponse
from crawler.scrapy.http.response.text import TextResponse
from crawler.scrapy.http.response.xml import XmlResponse

__all__ = [
    "FormRequest",
    "Headers",
    "HtmlResponse",
    "JsonRequest",
    "JsonResponse",
    "Request",
    "Response",
    "TextResponse",
    "XmlResponse",
    "XmlRpcRequest",
    "as_scrapy_request",
]
