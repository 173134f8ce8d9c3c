"""How is a site crawled by what its sitemaps list, where a project was written for Scrapy?"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Any, Self

from crawler.scrapy.http.request import Request
from crawler.scrapy.http.response.xml import XmlResponse
from crawler.scrapy.spiders.plain import Spider
from crawler.scrapy.utils.gz import gunzip, gzip_magic_number
from crawler.scrapy.utils.sitemap import Sitemap, sitemap_urls_from_robots

logger = logging.getLogger(__name__.removeprefix("crawler."))


class SitemapSpider(Spider):
    """Crawl what the sitemaps at ``sitemap_urls`` list; a robots.txt among them leads to its sitemaps.

    Scrapy's SitemapSpider, with its rules for what a sitemap is: an XML response, gzip, or a URL that ends so.
    """

    sitemap_urls: Sequence[str] = ()
    sitemap_rules: Sequence[tuple[re.Pattern[str] | str, str | Callable[..., Any]]] = [("", "parse")]
    sitemap_follow: Sequence[re.Pattern[str] | str] = [""]
    sitemap_alternate_links: bool = False
    _max_size = 0

    def __init__(self, *a: Any, **kw: Any) -> None:
        super().__init__(*a, **kw)
        self._cbs = [
            (re.compile(pattern), getattr(self, callback) if isinstance(callback, str) else callback)
            for pattern, callback in self.sitemap_rules
        ]
        self._follow = [re.compile(pattern) for pattern in self.sitemap_follow]

    @classmethod
    def from_crawler(cls, crawler: Any, *args: Any, **kwargs: Any) -> Self:
        """Make the spider of a crawl; DOWNLOAD_MAXSIZE bounds what is unpacked, too."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider._max_size = getattr(spider, "download_maxsize", crawler.settings.getint("DOWNLOAD_MAXSIZE"))
        return spider

    async def start(self) -> AsyncIterator[Any]:
        for url in self.sitemap_urls:
            yield Request(url, self._parse_sitemap)

    def sitemap_filter(self, entries: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
        """Yield the entries to follow, perhaps changed; ``entries.type`` tells the kind of sitemap."""
        yield from entries

    def _parse_sitemap(self, response: Any) -> Iterator[Request]:
        if response.url.endswith("/robots.txt"):
            for url in sitemap_urls_from_robots(response.body, base_url=response.url):
                yield Request(url, callback=self._parse_sitemap)
            return
        body = self._get_sitemap_body(response)
        sitemap = Sitemap(body) if body else None
        if sitemap is not None and sitemap.type == "sitemapindex":
            for url in _urls(self.sitemap_filter(sitemap), self.sitemap_alternate_links):
                if any(pattern.search(url) for pattern in self._follow):
                    yield Request(url, callback=self._parse_sitemap)
        elif sitemap is not None and sitemap.type == "urlset":
            for url in _urls(self.sitemap_filter(sitemap), self.sitemap_alternate_links):
                callback = next((callback for pattern, callback in self._cbs if pattern.search(url)), None)
                if callback is not None:
                    yield Request(url, callback=callback)
        else:
            logger.warning("Ignoring invalid sitemap: %s", response, extra={"spider": self})

    def _get_sitemap_body(self, response: Any) -> bytes | None:
        """Return the XML of a sitemap; None for what is none, or would be larger than DOWNLOAD_MAXSIZE unpacked."""
        if not isinstance(response, XmlResponse) and gzip_magic_number(response):
            try:
                return gunzip(response.body, max_size=response.meta.get("download_maxsize", self._max_size))
            except ValueError:
                return None
        is_sitemap = isinstance(response, XmlResponse) or response.url.endswith((".xml", ".xml.gz"))
        return bytes(response.body) if is_sitemap else None


def _urls(entries: Iterable[dict[str, Any]], with_alternates: bool) -> Iterator[str]:
    for entry in entries:
        if entry["loc"]:
            yield entry["loc"]
        if with_alternates:
            yield from entry.get("alternate", ())
