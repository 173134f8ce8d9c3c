"""What is the name from Scrapy called here, or what is used in its place?"""

from __future__ import annotations

_SCRIPT = (
    "crawl(SpiderClass, settings, reactor=reactor) runs a spider from a script and gives a Deferred of its Summary"
)
_FILES = 'a request with meta["download_file"], or Request(into=path), writes a body to a file'
_DEFERRED = "await the Deferred itself: coroutines may await Deferreds and asyncio's awaitables alike"
_MIDDLEWARE = "write it as async __call__(request, fetch) and list it in MIDDLEWARES"

ELSEWHERE = {
    "AsyncCrawlerProcess": _SCRIPT,
    "AsyncCrawlerRunner": _SCRIPT,
    "CrawlerProcess": _SCRIPT,
    "CrawlerRunner": _SCRIPT,
    "DontCloseSpider": "start() may wait for more work and yield it; the crawl ends after it",
    "FilesPipeline": _FILES,
    "ImagesPipeline": _FILES,
    "MediaPipeline": _FILES,
    "NotSupported": "response.text and selectors work on every response",
    "StopDownload": "a middleware's on_head(request, head) returns False to stop a download",
    "deferred_to_future": _DEFERRED,
    "maybe_deferred_to_future": _DEFERRED,
    "get_project_settings": "Settings.load(project=…), or a dict to crawl()",
    "BaseSpiderMiddleware": "what it refuses or changes belongs in REQUEST_FILTERS, what it sees in EXTENSIONS",
    "RetryMiddleware": f"RETRY_* settings; or {_MIDDLEWARE}",
    "RedirectMiddleware": f"REDIRECT_* settings; or {_MIDDLEWARE}",
    "UserAgentMiddleware": f"USER_AGENT; or {_MIDDLEWARE}",
    "HttpProxyMiddleware": f"Request(proxy=…); or {_MIDDLEWARE}",
    "curl_to_request_kwargs": "Request.from_curl",
    "fingerprint": "the setting FINGERPRINT names a function (request) -> int",
    "get_retry_request": "Request.replace(dont_filter=True, …), or RETRY_HTTP_CODES",
    "open_in_browser": "`crawler fetch URL` shows what came",
    "inspect_response": "`crawler fetch URL` shows what came",
}

_MODULES = frozenset(
    {
        *("addons", "cmdline", "contracts", "core", "downloadermiddlewares", "dupefilters", "exceptions", "exporters"),
        *("extensions", "http", "item", "linkextractors", "loader", "logformatter", "mail", "pipelines", "pqueues"),
        *("responsetypes", "selector", "shell", "signalmanager", "spiderloader", "spidermiddlewares", "spiders"),
        *("squeues", "statscollectors", "utils"),
    }
)


def elsewhere(name: str) -> str | None:
    """Return a sentence for one of Scrapy's names that is not here, None for any other."""
    if name in ELSEWHERE:
        return f"Scrapy's {name} is not in crawler: {ELSEWHERE[name]} (docs/from_scrapy.md)"
    if name in _MODULES:
        return f"crawler has no module {name}: what it has of scrapy.{name} is imported from crawler itself"
    return None
