"""Which links does Scrapy find on a page, in which spelling, and which of them does it leave out?

By the rules of its LxmlLinkExtractor: links are told apart before they are filtered, domains and extensions are
compared as they are written.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Any, TypeAlias
from urllib.parse import urljoin, urlparse

from lxml import etree
from parsel.csstranslator import HTMLTranslator
from w3lib.html import strip_html5_whitespace
from w3lib.url import canonicalize_url, safe_url_string

from crawler.model.link import Link
from crawler.model.links import IGNORED_EXTENSIONS
from crawler.scrapy.http.request import is_spelt
from crawler.scrapy.http.response.text import joined
from crawler.scrapy.utils.python import unique
from crawler.scrapy.utils.url import url_is_from_any_domain

logger = logging.getLogger(__name__.removeprefix("crawler."))

Words: TypeAlias = str | Iterable[str] | None
Patterns: TypeAlias = str | re.Pattern[str] | Iterable[str | re.Pattern[str]] | None

_XHTML = "{http://www.w3.org/1999/xhtml}"
_SCHEMES = frozenset({"http", "https", "file", "ftp"})
_text_of = etree.XPath("string()", smart_strings=False)


def _several(given: Any) -> list[Any]:
    if given is None:
        return []
    return [given] if isinstance(given, str | bytes | re.Pattern) or not hasattr(given, "__iter__") else list(given)


def _compiled(given: Patterns) -> list[re.Pattern[str]]:
    return [re.compile(each) for each in _several(given)]


def _is_wanted(name: str, wanted: frozenset[str], denied: frozenset[str]) -> bool:
    return (name in wanted or "*" in wanted) and name not in denied


class LxmlLinkExtractor:
    """Find links by where they are and what they look like (Scrapy's LinkExtractor, with all of its arguments)."""

    _csstranslator = HTMLTranslator()

    def __init__(
        self,
        allow: Patterns = (),
        deny: Patterns = (),
        allow_domains: Words = (),
        deny_domains: Words = (),
        restrict_xpaths: Words = (),
        tags: Words = ("a", "area"),
        attrs: Words = ("href",),
        canonicalize: bool = False,
        unique: bool = True,
        process_value: Callable[[Any], Any] | None = None,
        deny_extensions: Words = None,
        restrict_css: Words = (),
        strip: bool = True,
        restrict_text: Patterns = None,
        deny_tags: Words = (),
        deny_attrs: Words = (),
    ) -> None:
        self.tags, self.attrs = frozenset(_several(tags)), frozenset(_several(attrs))
        self.deny_tags, self.deny_attrs = frozenset(_several(deny_tags)), frozenset(_several(deny_attrs))
        self.unique, self.strip = unique, strip
        self.process_value = process_value if callable(process_value) else None
        self.allow_res, self.deny_res = _compiled(allow), _compiled(deny)
        self.restrict_text = _compiled(restrict_text)
        self.allow_domains, self.deny_domains = set(_several(allow_domains)), set(_several(deny_domains))
        by_css = map(self._csstranslator.css_to_xpath, _several(restrict_css))
        self.restrict_xpaths = (*_several(restrict_xpaths), *by_css)
        self.canonicalize = canonicalize
        extensions = IGNORED_EXTENSIONS if deny_extensions is None else _several(deny_extensions)
        self.deny_extensions = {f".{extension}" for extension in extensions}

    def extract_links(self, response: Any) -> list[Link]:
        """Return the links of a page in the order of the document; repeated URLs once if ``unique``."""
        regions: Iterable[Any] = [response._tree]
        if self.restrict_xpaths:
            regions = [region for xpath in self.restrict_xpaths for region in response.xpath(xpath)]
        links: list[Link] = []
        for region in regions:
            found = self._extract_links(region, response.url, response.encoding, response.base)
            links += self._process_links(found)
        return self._once(links)

    def _extract_links(self, selector: Any, response_url: str, response_encoding: str, base_url: Any) -> list[Link]:
        links = []
        for element, value in self._values(selector.root):
            url = self._resolved(value, response_url, response_encoding, base_url)
            if url is not None:
                rel = element.get("rel")
                nofollow = rel is not None and "nofollow" in rel.lower().replace(",", " ").split()
                text = str(_text_of(element)) if len(element) else element.text or ""
                links.append(Link(url, text, nofollow=nofollow))
        return self._once(links)

    def _values(self, root: Any) -> Iterator[tuple[Any, str]]:
        for element in root.iter(etree.Element) if isinstance(root, etree._Element) else ():
            if _is_wanted(str(element.tag).removeprefix(_XHTML), self.tags, self.deny_tags):
                for name, value in element.attrib.items():
                    if _is_wanted(str(name), self.attrs, self.deny_attrs):
                        yield element, str(value)

    def _resolved(self, value: str, page: str, encoding: str, base: Any) -> str | None:
        try:
            url: Any = joined(base, strip_html5_whitespace(value) if self.strip else value)
        except ValueError:
            return None
        if self.process_value is not None and (url := self.process_value(url)) is None:
            return None
        try:
            return str(url) if is_spelt(url) else str(urljoin(page, safe_url_string(url, encoding)))
        except ValueError:
            logger.debug("A link that is no URL is left out: %r", url)
            return None

    def _once(self, links: list[Link]) -> list[Link]:
        return unique(links, key=attrgetter("url")) if self.unique else links

    def _process_links(self, links: list[Link]) -> list[Link]:
        links = [link for link in links if self._link_allowed(link)]
        if self.canonicalize:
            for link in links:
                link.url = canonicalize_url(link.url)
        return self._once(links)

    def _link_allowed(self, link: Link) -> bool:
        url = link.url
        if url.partition("://")[0] not in _SCHEMES or not self.matches(url):
            return False
        if self.deny_extensions:
            is_plain = url.count("/") > 2 and "?" not in url and "#" not in url and ";" not in url
            path = url if is_plain else urlparse(url).path
            if path.lower().endswith(tuple(self.deny_extensions)):
                return False
        return not self.restrict_text or any(pattern.search(link.text) for pattern in self.restrict_text)

    def matches(self, url: str) -> bool:
        """Tell whether an absolute URL passes the filters that look at the URL."""
        if self.allow_domains and not url_is_from_any_domain(url, self.allow_domains):
            return False
        if self.deny_domains and url_is_from_any_domain(url, self.deny_domains):
            return False
        if self.allow_res and not any(pattern.search(url) for pattern in self.allow_res):
            return False
        return not any(pattern.search(url) for pattern in self.deny_res)
