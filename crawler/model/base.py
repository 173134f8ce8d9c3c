"""What are the links of a page resolved against?

Resolving by the standard's parser costs 7 µs, and a page has a hundred links. Most of them are plain: what
follows from them can be seen without a parser, and everything else goes to the parser.
"""

from __future__ import annotations

from crawler.model.url import is_http, is_plain_path, is_plain_url, join


class Base:
    """The base URL of one page and the encoding of its queries."""

    __slots__ = ("_directories", "_root", "encoding", "href")

    def __init__(self, href: str, encoding: str = "utf-8") -> None:
        self.href = href
        self.encoding = encoding
        self._root = ""
        self._directories: dict[str, str] = {}
        if is_http(href):
            address = href.partition("#")[0].partition("?")[0]
            slash = address.find("/", 8)
            if slash > 0:
                self._root = address[:slash]
                self._set_directories(address, slash)

    def _set_directories(self, address: str, slash: int) -> None:
        """Note what "", "./", "../", "../../" … stand for; above the root there is only the root."""
        ends = [place + 1 for place, character in enumerate(address) if character == "/" and place >= slash]
        climb = ""
        for end in [*reversed(ends[-20:]), ends[0]]:
            self._directories[climb] = address[:end]
            climb += "../"
        self._directories["./"] = self._directories[""]

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
                directory = self._directories.get(href[: len(href) - len(rest)])
                if directory is not None and "/." not in rest:
                    return directory + rest
            elif first != "?" and ":" not in href and "/." not in href:
                return self._directories[""] + href
        return join(self.href, href, self.encoding)
