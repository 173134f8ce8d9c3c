"""What does the shop that is crawled for a benchmark look like?

N item pages and N/20 listing pages as files, and what a right crawl of them must find. "small" pages
have 5 kB; "large" ones 60 kB and 110 links, as real shops' do. The same number gives the same bytes.

    python -m bench.make_shop FOLDER --pages 5000 --kind small
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import Any

PER_LISTING = 20
KINDS = {"small": (5_000, 12), "large": (60_000, 110)}
"""Kind -> bytes of an item page, and links on it."""

_WORDS = (
    *("harbour", "lantern", "orchard", "ledger", "winter", "staircase", "atlas", "kitchen", "river", "clock"),
    *("paper", "signal", "market", "garden", "window", "copper", "bridge", "letter", "summer", "stone"),
    *("mirror", "island", "engine", "thread", "valley"),
)


def item(number: int) -> dict[str, Any]:
    """Return what a right spider finds on item page ``number``, counted from 0, its URL apart."""
    return {
        "title": f"{_WORDS[number % 25].title()} {_WORDS[number // 25 % 25]} no. {number}",
        "price": f"£{10 + number * 7 % 90}.{number % 100:02d}",
        "stock": f"In stock ({1 + number % 30} available)",
        "upc": f"{number * 2654435761 % 2**32:08x}",
    }


def expected(pages: int) -> dict[str, dict[str, Any]]:
    """Return path -> item of the whole shop."""
    return {item_path(number): item(number) for number in range(pages)}


def item_path(number: int) -> str:
    """Return the absolute path of an item page."""
    return f"/item/{number // 100}/{number}.html"


def listing_path(number: int) -> str:
    """Return the absolute path of a listing page; the first is the front page."""
    return f"/list/{number}.html" if number else "/index.html"


def all_paths(pages: int) -> list[str]:
    """Return every page, listings first."""
    return [listing_path(number) for number in range(pages // PER_LISTING)] + list(expected(pages))


def make_shop(folder: Path, pages: int, kind: str) -> None:
    """Write the shop, unless the folder already holds this one."""
    mark = folder / ".made"
    wanted = f"1 {pages} {kind}"
    if mark.exists() and mark.read_text() == wanted:
        return
    size, links = KINDS[kind]
    for number in range(pages // PER_LISTING):
        _write(folder, listing_path(number), _listing(number, pages))
    for number in range(pages):
        _write(folder, item_path(number), _item_page(number, pages, size, links))
    mark.write_text(wanted)


def _write(folder: Path, path: str, text: str) -> None:
    target = folder / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def _page(title: str, body: str) -> str:
    head = f'<head><meta charset="utf-8"><title>{title}</title></head>'
    return f'<!DOCTYPE html>\n<html lang="en">{head}\n<body>\n{body}\n</body></html>\n'


def _listing(number: int, pages: int) -> str:
    pods = "\n".join(
        f'<article class="product_pod"><h3><a href="{item_path(found)}">{item(found)["title"]}</a></h3>'
        f'<p class="price_color">{item(found)["price"]}</p></article>'
        for found in range(number * PER_LISTING, (number + 1) * PER_LISTING)
    )
    is_last = number + 1 == pages // PER_LISTING
    pager = (
        "" if is_last else f'<ul class="pager"><li class="next"><a href="{listing_path(number + 1)}">next</a></li></ul>'
    )
    return _page(f"Listing {number}", f"<section>\n{pods}\n</section>\n{pager}")


def _item_page(number: int, pages: int, size: int, links: int) -> str:
    choice = random.Random(number)
    shown = item(number)
    nav = "\n".join(
        f'<li><a href="{item_path((number * 31 + step * 97) % pages)}">{_WORDS[step % 25]} {step}</a></li>'
        for step in range(links)
    )
    main = f"""<ul class="nav">
{nav}
</ul>
<article class="product_page"><div class="product_main">
<h1>{shown["title"]}</h1>
<p class="price_color">{shown["price"]}</p>
<p class="instock availability">{shown["stock"]}</p>
</div>
<table class="table"><tr><th>UPC</th><td>{shown["upc"]}</td></tr><tr><th>Tax</th><td>£0.00</td></tr></table>
<div id="product_description">
{{prose}}
</div></article>"""
    page = _page(shown["title"], main)
    prose: list[str] = []
    missing = size - len(page.encode())
    while missing > 0:
        paragraph = f"<p>{' '.join(choice.choices(_WORDS, k=40))}.</p>"
        prose.append(paragraph)
        missing -= len(paragraph) + 1
    return page.replace("{prose}", "\n".join(prose))


def main() -> None:
    """Make a shop from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=5000)
    parser.add_argument("--kind", choices=sorted(KINDS), default="small")
    arguments = parser.parse_args()
    make_shop(arguments.folder, arguments.pages, arguments.kind)


if __name__ == "__main__":
    main()
