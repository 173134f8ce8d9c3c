"""What can be read from a response that is a text, where a project was written for Scrapy?

As Scrapy reads it: by w3lib's rules for the encoding, by parsel's for the tree, by urllib's for links.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin

import msgspec
import parsel
from w3lib.encoding import (
    html_body_declared_encoding,
    html_to_unicode,
    http_content_type_encoding,
    read_bom,
    resolve_encoding,
)
from w3lib.html import get_base_url, strip_html5_whitespace
from w3lib.url import safe_url_string

from crawler.model.link import Base
from crawler.scrapy.http.request import Request, is_spelt
from crawler.scrapy.http.response import Response
from crawler.scrapy.selector import Selector

_stated = lru_cache(maxsize=256)(http_content_type_encoding)
_HEAD = 4096  # in so many characters Scrapy looks for an encoding and a base; in UTF-8 they have up to four bytes
_may_declare = re.compile(rb"charset", re.IGNORECASE).search
_may_have_base = re.compile(rb"<base", re.IGNORECASE).search
_ends_in_quotes = re.compile(r"""=\s*(?:"[^"]*|'[^']*)\Z""").search
# Links that urllib and a browser resolve alike: no empty or dotted segment, no parameters, no empty query.
_is_plain_link = re.compile(r"/?(?:[\w~-][\w.~-]*/)*(?:[\w~-][\w.~-]*)?(?:\?[\w.~=&%+-]+)?", re.ASCII).fullmatch


class TextResponse(Response):
    """A response that is a text (Scrapy's TextResponse); ``encoding`` overrides what headers and body say."""

    __slots__ = ()
    _fixed_kind = "text"
    _DEFAULT_ENCODING = "ascii"

    attributes: tuple[str, ...] = (*Response.attributes, "encoding")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        encoding = kwargs.pop("encoding", None)
        body = kwargs.get("body")
        if isinstance(body, str):
            if encoding is None:
                raise TypeError(f"a body of str needs an encoding: {type(self).__name__}(…, encoding='utf-8')")
            kwargs["body"] = body.encode(encoding)
        super().__init__(*args, **kwargs)
        self._encoding = encoding

    def _set_body(self, body: Any) -> None:
        super()._set_body(body.encode(self.encoding) if isinstance(body, str) else body)

    @property
    def encoding(self) -> str:
        """The name of the Python codec of the text: what was given, the byte order mark, the header, the markup or a
        guess say it."""
        if self._codec is None:
            self._codec = self._declared_encoding() or self._body_inferred_encoding()
        return self._codec

    def _declared_encoding(self) -> str | None:
        return self._encoding or self._bom_encoding() or self._headers_encoding() or self._body_declared_encoding()

    def _bom_encoding(self) -> str | None:
        return read_bom(self.body)[0]

    def _headers_encoding(self) -> str | None:
        stated: bytes | None = None if self._headers is None else self._headers.get(b"Content-Type")
        return None if stated is None else _stated(stated.decode("latin-1"))

    def _body_declared_encoding(self) -> str | None:
        head = self.body[:_HEAD]
        found = _may_declare(head)
        end = 0 if found is None else head.find(b">", found.end()) + 1
        return (_declared_within(head[:end]) if end else None) or html_body_declared_encoding(head)

    def _body_inferred_encoding(self) -> str:
        codec, self._text = html_to_unicode("", self.body, self._DEFAULT_ENCODING, self._auto_detect_fun)
        return codec

    def _auto_detect_fun(self, text: bytes) -> str | None:
        for encoding in (self._DEFAULT_ENCODING, "utf-8"):
            with suppress(UnicodeError):
                text.decode(encoding)
                return resolve_encoding(encoding)
        from charset_normalizer import from_bytes  # few pages need it, and it takes 30 ms to import

        match = from_bytes(text).best()
        return None if match is None else resolve_encoding(match.encoding)

    @property
    def text(self) -> str:
        """The body as str; what does not decode is U+FFFD."""
        if self._text is None:
            self._text = html_to_unicode(f"charset={self.encoding}", self.body)[1]
        return self._text

    def json(self) -> Any:
        """Return the body as JSON values; raises ValueError."""
        if self._json is msgspec.UNSET:
            try:
                self._json = json.loads(self.body)
            except UnicodeDecodeError:
                self._json = json.loads(self.text)
        return self._json

    @property
    def base(self) -> Base:
        """What links are resolved against: the URL, or what the page's first ``<base href>`` says."""
        if self._base is None:
            codec = self.encoding
            if _may_have_base(self.body, 0, 4 * _HEAD) or codec.startswith(("utf-16", "utf-32")):
                href = get_base_url(self.text[:_HEAD], self._url, codec)
                spelt = is_spelt(href)
            elif not (spelt := is_spelt(href := self._url)):
                href = safe_url_string(href)
            self._base = _Base(href, codec, spelt=spelt)
        return self._base

    def urljoin(self, url: Any) -> str:
        """Resolve a link by the page's base URL (urllib's urljoin)."""
        return joined(self._base or self.base, url)

    @property
    def selector(self) -> Any:
        """The parsed document."""
        selector = self._tree
        selector.response = self
        return selector

    @property
    def _tree(self) -> Any:
        if self._selector is None:
            self._selector = made = Selector(self)
            made.response = None  # a cycle would keep each page till the next search for garbage
        return self._selector

    def xpath(self, query: str, namespaces: Any = None, **kwargs: Any) -> Any:
        """Select by XPath."""
        return self._tree.xpath(query, namespaces, **kwargs)

    def css(self, query: str) -> Any:
        """Select by CSS."""
        return self._tree.css(query)

    def jmespath(self, query: str, **kwargs: Any) -> Any:
        """Select from JSON by JMESPath."""
        return self._tree.jmespath(query, **kwargs)

    def follow(self, url: Any, *args: Any, **kwargs: Any) -> Request:
        """Return a request for a link: a str, a Link, an ``<a>`` or ``<link>``, or an attribute.

        The other arguments are those of Request. Raises ValueError for a selector that holds no link.
        """
        if len(args) < 7 and kwargs.get("encoding") is None:
            kwargs["encoding"] = self.encoding
        if url.__class__ is str:
            return Request(self.urljoin(url), *args, **kwargs)
        if isinstance(url, parsel.Selector):
            url = _href(url)
        elif isinstance(url, parsel.SelectorList):
            raise ValueError("follow() takes one link; for a SelectorList use follow_all()")
        return super().follow(url, *args, **kwargs)

    def follow_all(
        self, urls: Any = None, *args: Any, css: str | None = None, xpath: str | None = None, **kwargs: Any
    ) -> Iterator[Request]:
        """Return requests for many links: ``urls``, or what ``css`` or ``xpath`` selects.

        Selected elements that hold no link are passed over. Raises ValueError unless exactly one of the three is given.
        """
        if sum(given is not None for given in (urls, css, xpath)) != 1:
            raise ValueError("give exactly one of urls, css and xpath")
        if css:
            urls = self.css(css)
        elif xpath:
            urls = self.xpath(xpath)
        if isinstance(urls, parsel.SelectorList):
            urls = list(_hrefs(urls))
        return super().follow_all(urls, *args, **kwargs)


@lru_cache(maxsize=64)
def _declared_within(beginning: bytes) -> str | None:
    """Return the encoding that the beginning of a page declares, whatever follows: the pages of a site begin alike.

    It ends with a tag. None, too, if that ">" may stand in a value, which what follows would decide.
    """
    return None if _ends_in_quotes(beginning.decode("latin-1")) else html_body_declared_encoding(beginning)


class _Base(Base):
    """The base of a page, with its ``directory`` if urllib and a browser read it alike, else ""."""

    __slots__ = ("directory",)

    def __init__(self, href: str, encoding: str, *, spelt: bool) -> None:
        super().__init__(href, encoding)
        self.directory = self._address[: self._address.rfind("/") + 1] if spelt and "//" not in href[8:] else ""


def joined(base: Any, url: Any) -> str:
    """Resolve a link as urllib does; where a browser gives the same, by our quicker way. Raises ValueError."""
    if url.__class__ is str and url:
        if base.directory and url[0] != "?" and _is_plain_link(url):
            beginning: str = base._root if url[0] == "/" else base.directory
            return beginning + url
        if is_spelt(url) and ";" not in url:
            return url
    return str(urljoin(base.href, url))


class _NoLink(ValueError):
    """A selector holds none."""


def _hrefs(selectors: Iterable[parsel.Selector]) -> Iterator[str]:
    for selector in selectors:
        try:
            yield _href(selector)
        except _NoLink:  # to suppress it would cost each link more
            continue


def _href(selector: parsel.Selector) -> str:
    root: Any = selector.root
    if isinstance(root, str):
        return strip_html5_whitespace(root)
    if getattr(root, "tag", None) not in ("a", "link"):
        raise _NoLink(f"only <a> and <link> elements can be followed, got {selector!r}")
    if (href := root.get("href")) is None:
        raise _NoLink(f"the element has no href: {selector!r}")
    return strip_html5_whitespace(href)
