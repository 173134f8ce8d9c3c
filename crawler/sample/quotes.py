"""What do the pages of sample quotes look like?

Made by code, like the bookshop: sayings nobody said, by people who are not.
"""

from __future__ import annotations

from html import escape

QUOTES = 25
PER_PAGE = 10

_AUTHORS = ("Ada Fenwick", "Bruno Okafor", "Clémence Roux", "Dai Morgan", "Elif Şahin")
_OPENINGS = ("A good index", "Every queue", "The shortest path", "An honest error", "Patience")
_ENDINGS = (
    "is worth two good memories",
    "tells you who wrote it",
    "is never the one on the map",
    "asks for very little and gets even less",
    "begins where the manual ends",
)
_TAGS = ("work", "patience", "maps", "humour", "memory")


def quote(number: int) -> tuple[str, str, list[str]]:
    """Return the text, author and tags of one of the quotes 1 to QUOTES."""
    index = number - 1
    text = f"“{_OPENINGS[index % 5]} {_ENDINGS[(index // 5 + index) % 5]}.”"
    return text, _AUTHORS[index * 2 % 5], [_TAGS[index % 5], _TAGS[(index + 2) % 5]]


def quotes_page(number: int) -> str:
    """Return one of the pages, counted from 1."""
    first = (number - 1) * PER_PAGE + 1
    last = min(first + PER_PAGE - 1, QUOTES)
    shown = "\n".join(_block(*quote(found)) for found in range(first, last + 1))
    pager = f'<li class="previous"><a href="/quotes/page/{number - 1}/">Previous</a></li>' if number > 1 else ""
    if last < QUOTES:
        pager += f'<li class="next"><a href="/quotes/page/{number + 1}/">Next</a></li>'
    return f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="UTF-8"><title>Sample quotes</title></head>
<body><div class="container">
<h1><a href="/quotes/">Sample quotes</a></h1>
{shown}
<nav><ul class="pager">{pager}</ul></nav>
</div></body>
</html>
"""


def paths() -> dict[str, str]:
    """Return every page of quotes: absolute path -> HTML."""
    pages = {f"/quotes/page/{number}/": quotes_page(number) for number in range(1, -(-QUOTES // PER_PAGE) + 1)}
    pages["/quotes/"] = pages["/quotes/page/1/"]
    return pages


def _block(text: str, author: str, tags: list[str]) -> str:
    links = " ".join(f'<a class="tag" href="/quotes/#{tag}">{tag}</a>' for tag in tags)
    return f"""<div class="quote" itemscope itemtype="http://schema.org/CreativeWork">
<span class="text" itemprop="text">{escape(text)}</span>
<span>by <small class="author" itemprop="author">{escape(author)}</small></span>
<div class="tags">Tags: {links}</div>
</div>"""
