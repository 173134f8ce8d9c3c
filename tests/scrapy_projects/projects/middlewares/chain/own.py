import asyncio
import hashlib

from scrapy import Request
from scrapy.exceptions import IgnoreRequest, NotConfigured
from scrapy.http import HtmlResponse, TextResponse
from twisted.internet.defer import Deferred


class SignMiddleware:
    """Mutates the request: headers and meta."""

    def __init__(self, key):
        self.key = key

    @classmethod
    def from_crawler(cls, crawler):
        return cls(crawler.settings.get("SIGN_KEY"))

    def process_request(self, request, spider):
        signature = hashlib.md5((self.key + request.url).encode()).hexdigest()[:8]
        request.headers["X-Signature"] = signature
        request.meta["signature"] = signature

    def process_response(self, request, response, spider):
        response.headers["X-Seen-By"] = "sign"
        return response.replace(body=response.body.replace(b"REPLACE", spider.name.encode()))


class ShortcutMiddleware:
    """Answers, refuses or replaces requests itself."""

    def process_request(self, request):
        if "/answered" in request.url:
            return HtmlResponse(request.url, body=b"<h1>from the middleware</h1>", encoding="utf-8", request=request)
        if "/refused" in request.url:
            raise IgnoreRequest("refused")
        if request.url.endswith("/old"):
            return request.replace(url=request.url.replace("/old", "/new"))
        return None

    def process_response(self, request, response):
        if response.status == 202:
            return Request(request.url.replace("pending", "ready"), callback=request.callback, cb_kwargs=request.cb_kwargs,
                           meta=dict(request.meta), priority=10, dont_filter=True)
        if response.status == 204:
            raise IgnoreRequest("nothing there")
        return response


class AsyncMiddleware:
    async def process_request(self, request, spider):
        await asyncio.sleep(0.001)
        request.headers["X-Async"] = "1"

    async def process_response(self, request, response, spider):
        done = Deferred()
        from twisted.internet import reactor

        reactor.callLater(0, done.callback, None)
        await maybe(done)
        return response


def maybe(deferred):
    from scrapy.utils.defer import maybe_deferred_to_future

    return maybe_deferred_to_future(deferred)


class ErrorMiddleware:
    def __init__(self, crawler):
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler):
        return cls(crawler)

    def process_request(self, request, spider):
        if "/raises" in request.url:
            raise ValueError("in a middleware")

    def process_exception(self, request, exception, spider):
        if "/forbidden" not in request.url:  # robots.txt forbids that
            self.crawler.stats.inc_value("own/exceptions/" + type(exception).__name__)
        if "/rescued" in request.url or isinstance(exception, ValueError) and "rescue" in request.url:
            return TextResponse(request.url, body=b"rescued", status=200)


class SwitchedOff:
    def __init__(self):
        raise NotConfigured("switched off")
