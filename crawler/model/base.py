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
        self._directories: list[str] = []
        if is_http(href):
            address = href.partition("#")[0].partition("?")[0]
            slash = address.find("/", 8)
            if slash > 0:
                self._root = address[:slash]
                ends = [place for place, character in enumerate(address) if character == "/" and place >= slash]
                # What "", "../", "../../" … stand for; above the root there is only the root.
                self._directories = [address[: end + 1] for end in reversed(ends)]

    def join(self, href: str) -> str:
        """Resolve one link like a browser; raises InvalidRequest."""
        if self._root and href and is_plain_path(href):
            rest = href.lstrip("./") if href[0] == "." else href
            climb = len(href) - len(rest)
            if rest and climb % 3 == 0 and "/." not in rest and href[:climb] == "../" * (climb // 3):
                if rest[0] == "/":
                    if rest[1:2] != "/":
                        return self._root + rest
                elif rest[0] not in ".?" and ":" not in rest:
                    level = min(climb // 3, len(self._directories) - 1)
                    return self._directories[level] + rest
        elif is_plain_url(href) and "/." not in href:
            return href
        return join(self.href, href, self.encoding)
