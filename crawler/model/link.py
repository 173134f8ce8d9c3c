"""What is known of a link that was found on a page?"""

from __future__ import annotations

from lxml import etree
from parsel import Selector, SelectorList


class Link:
    """An absolute URL with the text of its element (Scrapy's Link; ``url`` may be changed)."""

    __slots__ = ("fragment", "nofollow", "text", "url")

    def __init__(self, url: str, text: str = "", fragment: str = "", nofollow: bool = False) -> None:
        if not isinstance(url, str):
            raise TypeError(f"the URL of a link must be str, got {type(url).__name__}: {url!r}")
        self.url = url
        self.text = text
        self.fragment = fragment
        self.nofollow = nofollow

    def _key(self) -> tuple[str, str, str, bool]:
        return self.url, self.text, self.fragment, self.nofollow

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Link) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Link(url={self.url!r}, text={self.text!r}, fragment={self.fragment!r}, nofollow={self.nofollow!r})"


def holds_link(selector: Selector) -> bool:
    """Tell whether a selector is an attribute, a text, or an element with a link."""
    root = selector.root
    if isinstance(root, etree._Element):
        return root.tag in ("a", "area", "link") and root.get("href") is not None
    return isinstance(root, str)


def href_of(link: str | Link | Selector) -> str:
    """Return what a str, Link or Selector says to follow; raises ValueError for what holds no link."""
    if link.__class__ is str:
        return str(link)
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
