"""What is known of a link that was found on a page, and where does it lead?

Resolving by the standard's parser costs 7 µs, and a page has a hundred links. Most of them are plain: what
follows from them can be seen without a parser, and everything else goes to the parser.
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree
from parsel import Selector, SelectorList

from crawler.model.url import is_plain_path, is_plain_url, join


@dataclass(slots=True, unsafe_hash=True)
class Link:
    """An absolute URL with the text of its element (Scrapy's Link; ``url`` may be changed)."""

    url: str
    text: str = ""
    fragment: str = ""
    nofollow: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.url, str):
            raise TypeError(f"the URL of a link must be str, got {type(self.url).__name__}: {self.url!r}")


def holds_link(selector: Selector) -> bool:
    """Tell whether a selector is an attribute, a text, or an element with a link."""
    root = selector.root
    if isinstance(root, etree._Element):
        return root.tag in ("a", "area", "link") and root.get("href") is not None
    return isinstance(root, str)


def href_of(link: str | Link | Selector) -> str:
    """Return what a str, Link or Selector says to follow; raises ValueError for what holds no link."""
    if isinstance(link, Link):
        return link.url
    if isinstance(link, SelectorList):
        raise ValueError("follow() takes one link; for a SelectorList use follow_all()")
    if isinstance(link, Selector):
        if not holds_link(link):
            raise ValueError(f"no link in {link!r}: <a>, <area> or <link> with href, or an attribute, can be followed")
        root = link.root
        return root if isinstance(root, str) else str(root.get("href"))
    if isinstance(link, str):
        return str(link)
    raise ValueError(f"cannot follow a {type(link).__name__}: give a str, Link or Selector")


class Base:
    """The base URL of one page and the encoding of its queries."""

    __slots__ = ("_address", "_directories", "_root", "encoding", "href")

    def __init__(self, href: str, encoding: str = "utf-8") -> None:
        self.href = href
        self.encoding = encoding
        self._root = ""
        self._directories: dict[str, str] = {}
        if href.startswith(("http://", "https://")):
            self._address = address = href.partition("#")[0].partition("?")[0]
            slash = address.find("/", 8)
            if slash > 0:
                self._root = address[:slash]

    def _all_directories(self) -> dict[str, str]:
        """Note what "", "./", "../", "../../" … stand for; above the root there is only the root."""
        slash = len(self._root)
        ends = [place + 1 for place, character in enumerate(self._address) if character == "/" and place >= slash]
        climb = ""
        for end in [*reversed(ends[-20:]), ends[0]]:
            self._directories[climb] = self._address[:end]
            climb += "../"
        self._directories["./"] = self._directories[""]
        return self._directories

    def join(self, href: str) -> str:
        """Resolve one link like a browser; raises InvalidRequest."""
        if href.startswith("http"):
            if is_plain_url(href) and "/." not in href:
                return href
        elif href and self._root and is_plain_path(href):
            first = href[0]
            if first == "/":
                if "/." not in href and href[1:2] != "/":
                    return self._root + href
            elif first == ".":
                rest = href.lstrip("./")
                directory = (self._directories or self._all_directories()).get(href[: len(href) - len(rest)])
                if directory is not None and "/." not in rest:
                    return directory + rest
            elif first != "?" and ":" not in href and "/." not in href:
                return (self._directories or self._all_directories())[""] + href
        return join(self.href, href, self.encoding)
