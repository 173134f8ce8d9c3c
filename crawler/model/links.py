"""Which links of a page shall be followed?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from lxml import etree

from crawler.model.invalid import InvalidRequest
from crawler.model.link import Link
from crawler.model.response import Response
from crawler.model.url import domain_of, host_of, identity, split

Patterns: TypeAlias = str | re.Pattern[str] | Iterable[str | re.Pattern[str]] | None
Words: TypeAlias = str | Iterable[str] | None

# What is no page: Scrapy's list, so that the same links are left out.
IGNORED_EXTENSIONS = re.findall(
    r"\S+",
    "7z 7zip bz2 rar tar tar.gz xz zip "
    "mng pct bmp gif jpg jpeg png pst psp tif tiff ai drw dxf eps ps svg cdr ico webp "
    "mp3 wma ogg wav ra aac mid au aiff "
    "3gp asf asx avi mov mp4 mpg qt rm swf wmv m4a m4v flv webm "
    "xls xlsm xlsx xltm xltx potm potx ppt pptm pptx pps doc docb docm docx dotm dotx odt ods odg odp "
    "css pdf exe bin rss dmg iso apk jar sh rb js hta bat cpl msi msp py",
)

# A link in a link repeats its text: 1,000 of them around a text of 2 MB would take 2 GB.
_TEXTS = 1_000_000
_REPEATED = 4

_SPACE = "\t\n\f\r "
_SCHEMES = ("http://", "https://", "file://", "ftp://")
_text_of = etree.XPath("string()", smart_strings=False)


def _words(given: Words) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given or ())


def _patterns(given: Patterns) -> tuple[re.Pattern[str], ...]:
    several = (given,) if isinstance(given, str | re.Pattern) else tuple(given or ())
    return tuple(re.compile(each) for each in several)


class LinkExtractor:
    """Find links by where they are and what they look like; the arguments are those of Scrapy's LinkExtractor.

    ``allow`` and ``deny`` are regular expressions searched in the absolute URL, ``restrict_text`` in the
    link's text; ``restrict_xpaths`` and ``restrict_css`` name regions; ``tags`` and ``attrs`` say where
    URLs are ("*" is any), ``deny_tags`` and ``deny_attrs`` where not; ``process_value`` gets each absolute
    URL and returns another or None. ``canonicalize`` gives the identity of a URL instead of what would be
    sent. Only http, https, file and ftp URLs come out, and none of what is neither markup nor text. Of links that
    lie in each other, the texts end where together they are 4 times as long as the page, and a million characters.

    ``allow_domains`` and ``deny_domains`` are read as a spider's allowed_domains are: a port, a URL, "*." and names
    that are not ASCII are understood. Raises InvalidRequest for what names no host.

    ``obey_nofollow``, which Scrapy does not have, leaves out links that say ``rel=nofollow``, and all those of a
    page that says it of itself, in a ``<meta name=robots>`` or an X-Robots-Tag.
    """

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
        process_value: Callable[[str], str | None] | None = None,
        deny_extensions: Words = None,
        restrict_css: Words = (),
        strip: bool = True,
        restrict_text: Patterns = None,
        deny_tags: Words = (),
        deny_attrs: Words = (),
        *,
        obey_nofollow: bool = False,
    ) -> None:
        self.allow_res = _patterns(allow)
        self.deny_res = _patterns(deny)
        self.restrict_text = _patterns(restrict_text)
        self.allow_domains = frozenset(domain_of(domain) for domain in _words(allow_domains) if domain)
        self.deny_domains = frozenset(domain_of(domain) for domain in _words(deny_domains) if domain)
        self.restrict_xpaths = _words(restrict_xpaths)
        self.restrict_css = _words(restrict_css)
        extensions = IGNORED_EXTENSIONS if deny_extensions is None else _words(deny_extensions)
        self.deny_extensions = tuple("." + extension.lower() for extension in extensions)
        self.canonicalize = canonicalize
        self.unique = unique
        self.process_value = process_value
        self.strip = strip
        self.obey_nofollow = obey_nofollow
        denied = frozenset(_words(deny_tags))
        self._tags = tuple(tag for tag in _words(tags) if tag not in denied)
        self._denied_tags = denied
        self._denied_attributes = frozenset(_words(deny_attrs))
        self._attributes = tuple(name for name in _words(attrs) if name not in self._denied_attributes)

    def extract_links(self, response: Response) -> list[Link]:
        """Return the links of a page in the order of the document; repeated URLs once if ``unique``."""
        seen: set[str] = set()
        links: list[Link] = []
        if response.kind == "binary" or (self.obey_nofollow and says_nofollow(response)):
            return links
        room = _TEXTS + _REPEATED * len(response.body)
        for root in self._regions(response):
            for element, value in self._values(root):
                rel = element.get("rel")
                nofollow = rel is not None and "nofollow" in rel.lower().split()
                if nofollow and self.obey_nofollow:
                    continue
                url = self._resolved(response, value)
                if url is None or (self.unique and url in seen) or not self.matches(url):
                    continue
                if self.canonicalize:
                    url = identity(url)
                    if self.unique and url in seen:
                        continue
                text = _text(element) if room > 0 else ""
                room -= len(text)
                if self.restrict_text and not any(pattern.search(text) for pattern in self.restrict_text):
                    continue
                seen.add(url)
                links.append(Link(url, text, nofollow=nofollow))
        return links

    def matches(self, url: str) -> bool:
        """Tell whether an absolute URL passes the filters that look at the URL."""
        if not url.startswith(_SCHEMES):
            return False
        if self.allow_res and not any(pattern.search(url) for pattern in self.allow_res):
            return False
        if any(pattern.search(url) for pattern in self.deny_res):
            return False
        if self.allow_domains or self.deny_domains:
            domains = _domains(host_of(url).rstrip("."))
            if self.allow_domains and self.allow_domains.isdisjoint(domains):
                return False
            if not self.deny_domains.isdisjoint(domains):
                return False
        if not self.deny_extensions:
            return True
        is_plain = url.count("/") > 2 and "?" not in url and "%" not in url and "#" not in url and ";" not in url
        return not (url if is_plain else split(url).path).lower().endswith(self.deny_extensions)

    def _regions(self, response: Response) -> Iterator[etree._Element]:
        if not self.restrict_xpaths and not self.restrict_css:
            yield response.selector.root
        for xpath in self.restrict_xpaths:
            yield from (found.root for found in response.xpath(xpath))
        for css in self.restrict_css:
            yield from (found.root for found in response.css(css))

    def _values(self, root: etree._Element) -> Iterator[tuple[etree._Element, str]]:
        if not isinstance(root, etree._Element):
            return
        tags = (etree.Element,) if "*" in self._tags else self._tags
        # Elements of XHTML parsed as XML have its namespace.
        names = (*tags, *(f"{{http://www.w3.org/1999/xhtml}}{tag}" for tag in tags if isinstance(tag, str)))
        for element in root.iter(*names) if names else ():
            if self._denied_tags and etree.QName(element).localname in self._denied_tags:
                continue
            names_here = element.keys() if "*" in self._attributes else self._attributes
            for name in names_here:
                value = element.get(name)
                if value is not None and name not in self._denied_attributes:
                    yield element, str(value)

    def _resolved(self, response: Response, value: str) -> str | None:
        try:
            url: str | None = response.base.join(value.strip(_SPACE) if self.strip else value)
            if self.process_value is not None:
                url = self.process_value(url)  # type: ignore[arg-type]  # a str until here
                if url is not None:
                    url = response.base.join(url)
        except InvalidRequest:
            return None
        return url


def _text(element: etree._Element) -> str:
    if len(element):
        return str(_text_of(element))
    return element.text or ""  # most links have no more


def says_nofollow(response: Response) -> bool:
    """Tell whether a page asks robots of any name not to follow its links (X-Robots-Tag, meta robots)."""
    said = [value.decode("latin-1") for value in response.headers.getlist(b"X-Robots-Tag")]
    said += [str(meta.get("content") or "") for meta in response.selector.root.iter("meta") if _is_for_robots(meta)]
    # "googlebot: nofollow" is for that robot only.
    words = {word.strip().lower() for value in said for word in value.split(",")}
    return not words.isdisjoint({"nofollow", "none"})


def _is_for_robots(meta: etree._Element) -> bool:
    return (meta.get("name") or "").strip().lower() == "robots"


def _domains(host: str) -> list[str]:
    """Return a host and the domains it is in."""
    labels = host.split(".")
    return [".".join(labels[position:]) for position in range(len(labels))]
