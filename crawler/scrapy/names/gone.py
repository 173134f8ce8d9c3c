"""Which modules and names of Scrapy are no more, or are not here, and what is used in their place?

Those that Scrapy itself has taken away (its release notes up to 2.19) get today's name; of what it still has, ours
lacks ``scrapy.core``, which is its engine.
"""

from __future__ import annotations

from collections.abc import Iterable

from crawler.config.importing import not_installed

_EXTENSIONS = "scrapy.extensions"
_STATS = "crawler.stats, of the crawler that from_crawler(cls, crawler) is given"
_SETTINGS = (
    "crawler.settings, of the crawler that from_crawler(cls, crawler) is given; in a script get_project_settings()"
)
_LOG = "logging.getLogger(__name__), or self.logger of the spider"
_LINKS = "scrapy.linkextractors.LinkExtractor"
_SELECTOR = "scrapy.Selector"
_W3LIB = "the function of the same name in w3lib"

_ENGINE = "crawler.engine of a component's crawler has close_spider, pause, unpause, download and crawl"
_QUEUES = "the job store is the queue; in settings the names of Scrapy's queues are understood"
_HANDLERS = (
    "a downloader of one's own is written as docs/schemes.md says and listed in DOWNLOADERS; the setting values of "
    "Scrapy's own are understood as texts"
)
CORE = {
    "scrapy.core": "this crawler has an engine of its own; crawler.engine, middlewares and signals are there",
    "scrapy.core.engine": _ENGINE,
    "scrapy.core.scraper": "spider middlewares and item pipelines see what callbacks give",
    "scrapy.core.spidermw": "spider middlewares are listed in SPIDER_MIDDLEWARES",
    "scrapy.core.scheduler": "the job store is the scheduler: JOBDIR, JOB_STORE and --workers (docs/jobs.md)",
    "scrapy.core.downloader": "DOWNLOAD_DELAY, CONCURRENT_REQUESTS… and meta download_slot steer it",
    "scrapy.core.downloader.middleware": "downloader middlewares are listed in DOWNLOADER_MIDDLEWARES",
    "scrapy.core.downloader.handlers": _HANDLERS,
    "scrapy.core.downloader.contextfactory": "DOWNLOAD_VERIFY_CERTIFICATES and DOWNLOADER_CLIENT_TLS_* are settings",
    "scrapy.core.downloader.tls": "DOWNLOADER_CLIENT_TLS_METHOD names the method as a text",
    "scrapy.commands": "the commands are crawler's; one of a project derives from scrapy.commands.ScrapyCommand",
    "scrapy.extension": "crawler.get_extension(cls) finds an extension",
    "scrapy.middleware": "crawler.get_downloader_middleware(cls) and its like find one",
    "scrapy.pqueues": _QUEUES,
    "scrapy.resolver": "DNS_RESOLVER, DNS_TTL and DNS_TIMEOUT are settings",
    "scrapy.robotstxt": "robots.txt is read as RFC 9309 has it; ROBOTSTXT_OBEY and ROBOTSTXT_USER_AGENT are settings",
    "scrapy.squeues": _QUEUES,
}
"""What stands in for modules of Scrapy's that are not here, above all its engine; the longest name that fits counts."""

LEFT_OUT = frozenset(
    ["scrapy.extension", "scrapy.extensions.httpcache", "scrapy.middleware", "scrapy.pqueues",
     "scrapy.resolver", "scrapy.robotstxt", "scrapy.squeues", "scrapy.commands.bench", "scrapy.commands.check",
     "scrapy.commands.edit", "scrapy.commands.fetch", "scrapy.commands.genspider", "scrapy.commands.list",
     "scrapy.commands.parse", "scrapy.commands.runspider", "scrapy.commands.settings", "scrapy.commands.shell",
     "scrapy.commands.startproject", "scrapy.commands.version", "scrapy.commands.view", "scrapy.utils.benchserver",
     "scrapy.utils.boto",
     "scrapy.utils.engine", "scrapy.utils.ftp", "scrapy.utils.ossignal", "scrapy.utils.reactorless",
     "scrapy.utils.ssl"]
)  # fmt: skip
"""Modules that Scrapy has and we have not. Editors import them by themselves: no error, but what is in them is one."""

LENT = {"scrapy.core.downloader.handlers.http11": {"TunnelError": ("crawler.errors", "ProxyError")}}
"""Names of modules that are not here, with the module and the name of what is given for each: an error that middlewares
for proxies ask for."""

GONE = {
    "scrapy.command": "scrapy.commands",
    "scrapy.conf": _SETTINGS,
    "scrapy.contrib.downloadermiddleware": "scrapy.downloadermiddlewares",
    "scrapy.contrib.exporter": "scrapy.exporters",
    "scrapy.contrib.linkextractors": _LINKS,
    "scrapy.contrib.loader": "scrapy.loader",
    "scrapy.contrib.loader.processor": "itemloaders.processors",
    "scrapy.contrib.pipeline": "scrapy.pipelines",
    "scrapy.contrib.spidermiddleware": "scrapy.spidermiddlewares",
    "scrapy.contrib.spiders": "scrapy.spiders",
    "scrapy.contrib": _EXTENSIONS,
    "scrapy.contrib_exp": "scrapy",
    "scrapy.downloadermiddlewares.ajaxcrawl": "nothing: no search engine asks for AJAX pages any more",
    "scrapy.downloadermiddlewares.chunked": "nothing: chunked bodies are read by themselves",
    "scrapy.downloadermiddlewares.decompression": "nothing: compressed bodies are unpacked by themselves",
    "scrapy.dupefilter": "scrapy.dupefilters",
    "scrapy.linkextractor": "scrapy.linkextractors",
    "scrapy.linkextractors.htmlparser": _LINKS,
    "scrapy.linkextractors.regex": _LINKS,
    "scrapy.linkextractors.sgml": _LINKS,
    "scrapy.loader.common": "itemloaders.common",
    "scrapy.loader.processor": "itemloaders.processors",
    "scrapy.loader.processors": "itemloaders.processors",
    "scrapy.log": _LOG,
    "scrapy.project": "the crawler that from_crawler(cls, crawler) is given",
    "scrapy.spider": "scrapy.spiders, or scrapy.Spider",
    "scrapy.spidermanager": "scrapy.spiderloader",
    "scrapy.squeue": "scrapy.squeues",
    "scrapy.stats": _STATS,
    "scrapy.statscol": "scrapy.statscollectors",
    "scrapy.telnet": "scrapy.extensions.telnet",
    "scrapy.utils.decorator": "scrapy.utils.decorators",
    "scrapy.utils.http": "scrapy.http.Response, and w3lib.http",
    "scrapy.utils.markup": f"{_W3LIB}.html",
    "scrapy.webservice": "an extension of one's own",
    "scrapy.xlib": "the package itself, from PyPI",
    "scrapy.xlib.pydispatch": "crawler.signals.connect(receiver, signal), in from_crawler",
    "scrapy.xlib.tx": "twisted.web",
}
"""Modules that Scrapy has no more; one below them is as they are."""

NAMES = {
    "scrapy": {
        "log": _LOG,
        "conf": _SETTINGS,
        "project": GONE["scrapy.project"],
        "stats": _STATS,
        "optional_features": "try to import what is asked for",
    },
    "scrapy.crawler": {"Settings": "scrapy.settings.Settings"},
    "scrapy.http": {"Cookies": "request.cookies"},
    "scrapy.item": {"BaseItem": "scrapy.Item, or itemadapter.is_item(item)", "DictItem": "scrapy.Item"},
    "scrapy.linkextractors": {"SgmlLinkExtractor": "LinkExtractor", "HtmlParserLinkExtractor": "LinkExtractor"},
    "scrapy.loader": {"XPathItemLoader": "ItemLoader"},
    "scrapy.selector": dict.fromkeys(
        ("HtmlXPathSelector", "XmlXPathSelector", "XPathSelector", "XPathSelectorList"), "Selector"
    ),
    "scrapy.settings": {"CrawlerSettings": "Settings"},
    "scrapy.spiders": {"BaseSpider": "Spider"},
    "scrapy.utils.misc": {"md5sum": "hashlib.md5", "extract_regex": "parsel.utils.extract_regex"},
    "scrapy.utils.python": {
        "str_to_unicode": "to_unicode",
        "unicode_to_str": "to_bytes",
        "to_native_str": "to_unicode",
    },
    "scrapy.utils.request": {
        "request_fingerprint": "fingerprint",
        "request_authenticate": "w3lib.http.basic_auth_header, in the header Authorization",
    },
    "scrapy.utils.response": {"body_or_str": "response.text"},
    "scrapy.utils.url": {
        name: f"w3lib.url.{name}"
        for name in ("canonicalize_url", "safe_url_string", "url_query_parameter", "urljoin_rfc")
    },
}
"""Names that Scrapy's modules have no more, by the module."""


def gone_module(module: str) -> str:
    """Return why a module below scrapy is not there, and what is used instead."""
    if (found := _longest(CORE, module)) is not None:
        return f"{module} is not here: {CORE[found]} (docs/from_scrapy.md)"
    if (found := _longest(GONE, module)) is not None:
        return f"{module} is no more, in Scrapy neither; what is used today: {GONE[found]}"
    return f"there is no {module} here, and nothing known that stands in for it (docs/from_scrapy.md)"


def missing(error: ImportError, paths: Iterable[object]) -> str:
    """Return what an ImportError says; of a module of ours that is not there, what is used instead of Scrapy's.

    ``paths``: the dotted paths of which one was imported.
    """
    name = (error.name or "").removeprefix("crawler.")
    for path in paths:
        if isinstance(path, str) and name.startswith("scrapy.") and path.startswith(f"{name}."):
            return gone_module(path.rpartition(".")[0])
    return f"{error}: {hint}" if (hint := not_installed(error)) else str(error)


def is_hollow(module: str) -> bool:
    """Tell whether a module that is not here is imported as one in which nothing is, each name with its own answer.

    So are packages whose modules are no more.
    """
    inner = any(name.rpartition(".")[0] == module for name in (*CORE, *GONE, *LENT))
    return module in LEFT_OUT or module in LENT or (inner and _longest(CORE | GONE, module) == module)


def _longest(table: dict[str, str], module: str) -> str | None:
    fits = (name for name in table if module == name or module.startswith(f"{name}."))
    return max(fits, key=len, default=None)
