"""What is in a sitemap, and which sitemaps does a robots.txt name?"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import urljoin

from lxml import etree


def _name(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


class Sitemap:
    """The entries of a sitemap, or of an index of them; ``type`` is "urlset" or "sitemapindex".

    Each is a dict: loc, lastmod, changefreq, priority, and alternate, a list, where there are some.
    """

    __slots__ = ("_events", "type")

    def __init__(self, xmltext: str | bytes) -> None:
        source = BytesIO(xmltext.encode() if isinstance(xmltext, str) else xmltext)
        options: dict[str, Any] = {"remove_comments": True, "remove_pis": True, "remove_blank_text": True}
        self._events: Any = etree.iterparse(
            source, events=("start", "end"), recover=True, resolve_entities=False, collect_ids=False, **options
        )
        self.type = _name(next(self._events)[1])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for event, element in self._events:
            if event == "end" and _name(element) in ("url", "sitemap"):
                entry = self._entry(element)
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
                if "loc" in entry:
                    yield entry

    @staticmethod
    def _entry(element: Any) -> dict[str, Any]:
        entry: dict[str, Any] = {}
        alternate = []
        for child in element:
            name = _name(child)
            if name == "link":
                alternate += [child.get("href")] if child.get("href") else []
            elif name:
                entry[name] = (child.text or "").strip()
        return {**entry, "alternate": alternate} if alternate else entry


def sitemap_urls_from_robots(robots_text: str | bytes, base_url: str | None = None) -> Iterator[str]:
    """Yield the URLs that the lines "Sitemap:" of a robots.txt give; a line that is no UTF-8 is left out."""
    for line in BytesIO(robots_text.encode() if isinstance(robots_text, str) else robots_text):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"sitemap":
            try:
                yield urljoin(base_url or "", value.strip().decode())
            except UnicodeDecodeError:
                continue
