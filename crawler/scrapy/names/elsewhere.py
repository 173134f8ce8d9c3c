"""What is a name of Scrapy's called here, or what is used in its place: of a class, a meta key, a command?"""

from __future__ import annotations

_SCRIPT = (
    "crawl(SpiderClass, settings, reactor=reactor) runs a spider from a script and gives a Deferred of its Summary"
)
_FILES = 'list "crawler.Files" or "crawler.Images" in PIPELINES, or a class derived from it (docs/files.md)'
_DEFERRED = "await the Deferred itself: coroutines may await Deferreds and asyncio's awaitables alike"
_MIDDLEWARE = "write it as async __call__(request, fetch) and list it in MIDDLEWARES"

_PROCESSOR = "from itemloaders.processors import it, as for Scrapy"
_EXPORTER = "FEEDS and -o write the formats; one of your own is a Format, listed in FEED_FORMATS"
_SAME = "FINGERPRINT says what is the same request, and Request(dont_filter=True) is fetched all the same"

ELSEWHERE = {
    **dict.fromkeys(("Compose", "Identity", "Join", "MapCompose", "SelectJmes", "TakeFirst"), _PROCESSOR),
    **dict.fromkeys(("ItemAdapter", "is_item"), "from itemadapter import it, as for Scrapy"),
    **dict.fromkeys((f"{kind}ItemExporter" for kind in ("Base", "Csv", "Json", "JsonLines", "Xml")), _EXPORTER),
    **dict.fromkeys(("BaseDupeFilter", "RFPDupeFilter", "request_fingerprint"), _SAME),
    "LxmlLinkExtractor": "LinkExtractor",
    "BaseItem": "Item",
    "BaseSpider": "Spider",
    "InitSpider": "start() may log in with await self.fetch(…) before it yields",
    "XmlRpcRequest": 'Request(url, method="POST", body=xmlrpc.client.dumps(…))',
    "CannotResolveHostError": "NameNotResolved",
    "DNSLookupError": "NameNotResolved",
    "DownloadCancelledError": "BodyTooLarge, for a body over DOWNLOAD_MAXSIZE",
    "DownloadConnectionRefusedError": "ConnectionFailed",
    "DownloadFailedError": "FetchError, or one below it such as ConnectionLost",
    "DownloadTimeoutError": "FetchTimeout",
    "ResponseDataLossError": "TruncatedBody",
    "UnsupportedURLSchemeError": 'a request with such a URL is dropped: RequestDropped, its reason is "scheme"',
    "ScrapyDeprecationWarning": "nothing warns so here",
    "configure_logging": "logging.basicConfig in a script; LOG_LEVEL and LOG_FILE for the command",
    "get_base_url": "response.base.href, or response.urljoin",
    "HttpErrorMiddleware": "HTTPERROR_ALLOWED_CODES, handle_httpstatus_list, or an errback",
    "CookiesMiddleware": "COOKIES_ENABLED; meta cookiejar and dont_merge_cookies",
    "OffsiteMiddleware": "allowed_domains; meta allow_offsite",
    "DepthMiddleware": "DEPTH_LIMIT, DEPTH_PRIORITY",
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
}

_AUTH = 'credentials are meta["auth"] = (user, password), or HTTP_AUTH'
_PLUGIN = "it belongs to a plugin of Scrapy; pages are fetched by DOWNLOADER and MIDDLEWARES"
META_KEYS = {
    "verbatim_url": "URLs are sent in their normal form",
    "download_warnsize": "DOWNLOAD_WARNSIZE is for all requests",
    "http_user": _AUTH,
    "http_pass": _AUTH,
    "http_auth_domain": _AUTH,
    "give_up_log_level": "a request that is given up is logged once, as an error",
    "ftp_local_filename": "Request(url, into=path) writes the body to a file",
    "ftp_passive": "FTP transfers are passive",
    **dict.fromkeys(("playwright", "playwright_include_page", "splash", "zyte_api", "zyte_api_automap"), _PLUGIN),
}
"""Meta keys of Scrapy and its plugins that ask for what is not done here, and why."""

_MODULES = frozenset(
    {
        *("addons", "cmdline", "core", "downloadermiddlewares", "dupefilters", "exceptions", "exporters"),
        *("extensions", "http", "item", "linkextractors", "loader", "logformatter", "mail", "pipelines", "pqueues"),
        *("responsetypes", "selector", "signalmanager", "spiderloader", "spidermiddlewares", "spiders"),
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
