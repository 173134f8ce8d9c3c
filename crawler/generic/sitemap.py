"""How is a site crawled by what its sitemaps list?

The format is that of sitemaps.org; the API is that of Scrapy's SitemapSpider.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, ClassVar

from lxml import etree

from crawler.generic.markup import BadMarkup, Document, as_utf8, local_name, pieces
from crawler.model.masking import masked
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.robots import RobotsRules
from crawler.spider import Spider

Entry = dict[str, Any]
Pattern = str | re.Pattern[str]

MOST = 100_000
"""Most entries of a sitemap: twice what sitemaps.org allows."""

# sitemaps.org, "Other Sitemap formats": RSS (1.0, whose root is RDF, too) and Atom.
_ROOTS = {"urlset": "urlset", "sitemapindex": "sitemapindex", "rss": "urlset", "RDF": "urlset", "feed": "urlset"}
_ENTRIES = ("url", "sitemap", "item", "entry")
_PAGE = re.compile(r"https?://\S+", re.IGNORECASE).fullmatch
_LINE = 65_536
_PIECES = 16  # in which something else must come
_BEFORE = b"\xef\xbb\xbf\xfe\xff\0\t\n\r "  # what may stand before a "<", in any encoding


class Sitemap:
    """The entries of a sitemap, to be iterated once; ``type`` is "urlset", "sitemapindex" or "".

    An entry has "loc" and what else its elements say, as stripped texts ("lastmod", …); "alternate" is a
    list of the other languages' URLs. RSS, Atom and a text with a URL on each line are of the type "urlset", too.
    Raises BadMarkup while it is iterated, ``limit`` in bytes. For ``encoding`` and ``content_type`` see Document.
    """

    def __init__(
        self, body: bytes, *, limit: int = 0, encoding: str | None = None, content_type: str | None = None
    ) -> None:
        source = pieces(body, limit)
        taken: list[bytes] = []
        start = b""
        while not start and len(taken) < _PIECES and (piece := next(source, None)) is not None:
            taken.append(piece)
            start = piece.lstrip(_BEFORE)
        source = chain(taken, source)
        self._document: Document | None = None
        self._lines: Iterator[str] = iter(())
        if start.startswith(b"<"):
            names = (*_ROOTS, *_ENTRIES)
            self._document = Document(source, names=names, most=MOST, encoding=encoding, content_type=content_type)
            self.type = _ROOTS.get(self._document.root_name, "")
        else:
            pages = _pages(as_utf8(source, encoding, content_type, kind="text"))
            first = next(pages, None)
            self.type = "" if first is None else "urlset"
            self._lines = iter(()) if first is None else chain((first,), pages)

    @property
    def problem(self) -> str:
        """What was wrong, though it could be read; known at the end."""
        if self._document is not None:
            return self._document.problem
        return "" if self.type else "it is neither XML nor a list of URLs"

    def __iter__(self) -> Iterator[Entry]:
        for page in self._lines:
            yield {"loc": page}
        if self._document is not None:
            for element in self._document.elements(lambda element: local_name(element) in _ENTRIES):
                entry = _entry(element)
                if "loc" in entry:
                    yield entry


def _pages(text: Iterable[bytes]) -> Iterator[str]:
    """Yield the URLs of a text, one a line; other lines are passed over. Raises BadMarkup."""
    for count, line in enumerate(_lines_of(text)):
        if count > MOST:
            raise BadMarkup(f"it has more than {MOST} lines")
        if _PAGE(page := line.strip()):
            yield page


def _lines_of(text: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for piece in text:
        *lines, rest = (rest + piece).replace(b"\r", b"\n").split(b"\n")
        yield from (line.decode("utf-8", "replace") for line in lines if line)
        if len(rest) > _LINE:
            raise BadMarkup(f"it has a line of more than {_LINE} bytes")
    yield rest.decode("utf-8", "replace")


def _entry(element: etree._Element) -> Entry:
    entry: Entry = {}
    for part in element:
        if not isinstance(part.tag, str):
            continue  # an entity
        name = local_name(part)
        text = (part.text or "").strip()
        if name != "link":
            if name != "loc" or part.prefix == element.prefix:  # an image's is none of the page
                entry.setdefault(name, text)
        elif local_name(element) in ("item", "entry"):
            # Of Atom's links it is the one without a rel, or with this one; RSS has it as text.
            if text or part.get("rel", "alternate") == "alternate":
                entry.setdefault("loc", text or part.get("href", "").strip())
        elif part.get("href"):
            entry.setdefault("alternate", []).append(part.get("href"))
    return entry


def sitemaps_in(robots: bytes) -> list[str]:
    """Return the URLs of the ``Sitemap:`` lines of a robots.txt, as they stand there."""
    return RobotsRules.parse(robots, "").sitemaps


class SitemapSpider(Spider):
    """Crawl what the sitemaps at ``sitemap_urls`` list; a robots.txt among them leads to its sitemaps.

    ``sitemap_rules``: (regular expression, callback or its name); the first that is found in a URL decides.
    ``sitemap_follow``: of which URLs in a sitemap index one must be found. ``sitemap_alternate_links``: follow
    the other languages' links, too. ``sitemap_max_size``: most bytes of a sitemap, unpacked; the default
    is the limit of sitemaps.org. What a sitemap says of a page's last change is in meta ``lastmod``. A sitemap that
    breaks off, or is refused, is logged as an error of its callback; what was read before that is crawled.
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
        try:
            sitemap = Sitemap(
                response.body,
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
            rules = [
                (re.compile(pattern), getattr(self, callback) if isinstance(callback, str) else callback)
                for pattern, callback in self.sitemap_rules
            ]
        else:
            self.logger.warning("Ignoring invalid sitemap: %s", response)
            return
        for url, lastmod in self._urls(self.sitemap_filter(sitemap)):
            for pattern, callback in rules:
                if pattern.search(url):
                    meta = {"lastmod": lastmod} if lastmod else None
                    yield Request(response.urljoin(url), callback, meta=meta)
                    break

    def _urls(self, entries: Iterable[Entry]) -> Iterator[tuple[str, str]]:
        """Yield the URLs, with when the page of each changed last; "" where that is not said."""
        for entry in entries:
            if entry["loc"]:
                yield entry["loc"], str(entry.get("lastmod") or "")
            if self.sitemap_alternate_links:
                yield from ((url, "") for url in entry.get("alternate", ()))
