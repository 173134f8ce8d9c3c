"""How is a site crawled by what its sitemaps list?

The format is that of sitemaps.org; the API is that of Scrapy's SitemapSpider.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar

from crawler.generic.markup import GZIP, BadMarkup, Document, local_name, pieces
from crawler.model.masking import masked
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.spider import Spider

Entry = dict[str, Any]
Pattern = str | re.Pattern[str]

MOST = 100_000
"""Most entries of a sitemap: twice what sitemaps.org allows."""

_NAMES = ("urlset", "sitemapindex", "url", "sitemap")
_ROBOTS_LINE = re.compile(rb"^[ \t]*sitemap[ \t]*:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)


class Sitemap:
    """The entries of a sitemap, to be iterated once; ``type`` is "urlset", "sitemapindex" or "".

    An entry has "loc" and what else its elements say, as stripped texts ("lastmod", …); "alternate" is a
    list of the other languages' URLs. Raises BadMarkup while it is iterated, ``limit`` in bytes. For
    ``encoding`` and ``content_type`` see Document.
    """

    def __init__(
        self, body: bytes, *, limit: int = 0, encoding: str | None = None, content_type: str | None = None
    ) -> None:
        source = pieces(body, limit)
        self._document = Document(source, names=_NAMES, most=MOST, encoding=encoding, content_type=content_type)
        self.type = self._document.root_name

    @property
    def problem(self) -> str:
        """What was wrong, though it could be read; known at the end."""
        return self._document.problem

    def __iter__(self) -> Iterator[Entry]:
        for element in self._document.elements(lambda element: local_name(element) in ("url", "sitemap")):
            entry = _entry(element)
            if "loc" in entry:
                yield entry


def _entry(element: Any) -> Entry:
    entry: Entry = {}
    for part in element:
        if not isinstance(part.tag, str):
            continue  # an entity
        name = local_name(part)
        if name == "link":
            if part.get("href"):
                entry.setdefault("alternate", []).append(part.get("href"))
        else:
            entry[name] = (part.text or "").strip()
    return entry


def sitemaps_in(robots: bytes) -> Iterator[str]:
    """Yield the URLs of the ``Sitemap:`` lines of a robots.txt, as they stand there."""
    for line in _ROBOTS_LINE.finditer(robots):
        yield line[1].decode("utf-8", "replace")


class SitemapSpider(Spider):
    """Crawl what the sitemaps at ``sitemap_urls`` list; a robots.txt among them leads to its sitemaps.

    ``sitemap_rules``: (regular expression, callback or its name); the first that is found in a URL decides.
    ``sitemap_follow``: of which URLs in a sitemap index one must be found. ``sitemap_alternate_links``: follow
    the other languages' links, too. ``sitemap_max_size``: most bytes of a sitemap, unpacked; the default
    is the limit of sitemaps.org. A sitemap that breaks off, or is refused, is logged as an error of its
    callback; what was read before that is crawled.
    """

    sitemap_urls: ClassVar[Sequence[str]] = ()
    sitemap_rules: ClassVar[Sequence[tuple[Pattern, str | Callable[..., Any]]]] = [("", "parse")]
    sitemap_follow: ClassVar[Sequence[Pattern]] = [""]
    sitemap_alternate_links: ClassVar[bool] = False
    sitemap_max_size: ClassVar[int] = 52_428_800

    async def start(self) -> AsyncIterator[Any]:
        for url in self.sitemap_urls:
            yield Request(url, self._parse_sitemap)

    def sitemap_filter(self, entries: Iterable[Entry]) -> Iterable[Entry]:
        """Return the entries to follow, perhaps changed; ``entries.type`` tells the kind of sitemap."""
        return entries

    def _parse_sitemap(self, response: Response) -> Iterator[Request]:
        if response.url.endswith("/robots.txt"):
            for url in sitemaps_in(response.body):
                yield Request(response.urljoin(url), self._parse_sitemap)
            return
        body = _sitemap_body(response)
        if body is None:
            self.logger.warning("Ignoring invalid sitemap: %s", response)
            return
        try:
            sitemap = Sitemap(
                body,
                limit=self.sitemap_max_size,
                encoding=response.given_encoding,
                content_type=response.headers.text("Content-Type"),
            )
            yield from self._requests(response, sitemap)
        except BadMarkup as error:
            raise BadMarkup(f"sitemap {response.url}: {error}") from error
        if sitemap.problem:
            self.logger.warning("Sitemap %s is damaged: %s", masked(response.url), sitemap.problem)

    def _requests(self, response: Response, sitemap: Sitemap) -> Iterator[Request]:
        if sitemap.type == "sitemapindex":
            rules: list[tuple[re.Pattern[str], Any]] = [
                (re.compile(pattern), self._parse_sitemap) for pattern in self.sitemap_follow
            ]
        elif sitemap.type == "urlset":
            rules = [(re.compile(pattern), self._method(callback)) for pattern, callback in self.sitemap_rules]
        else:
            self.logger.warning("Ignoring invalid sitemap: %s", response)
            return
        for url in self._urls(self.sitemap_filter(sitemap)):
            for pattern, callback in rules:
                if pattern.search(url):
                    yield Request(response.urljoin(url), callback)
                    break

    def _method(self, callback: str | Callable[..., Any]) -> Callable[..., Any]:
        return getattr(self, callback) if isinstance(callback, str) else callback

    def _urls(self, entries: Iterable[Entry]) -> Iterator[str]:
        for entry in entries:
            if entry["loc"]:
                yield entry["loc"]
            if self.sitemap_alternate_links:
                yield from entry.get("alternate", ())


def _sitemap_body(response: Response) -> bytes | None:
    """Return the body if it can be a sitemap: XML or gzip, by its type, its bytes or its name."""
    body = response.body
    path = response.url.partition("?")[0]
    if response.kind == "xml" or body.startswith(GZIP) or path.endswith((".xml", ".xml.gz")):
        return body or None
    return None
