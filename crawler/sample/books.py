"""What do the pages of the sample bookshop look like?

Every page is a pure function of its number, so two runs serve the same bytes.
"""

from __future__ import annotations

from html import escape
from typing import NamedTuple

BOOKS = 100
PER_PAGE = 20

_ADJECTIVES = ("Quiet", "Crooked", "Northern", "Borrowed", "Salted", "Paper", "Second", "Hollow", "Green", "Late")
_NOUNS = ("Harbour", "Orchard", "Ledger", "Lantern", "Winter", "Staircase", "Atlas", "Kitchen", "River", "Clock")
_CATEGORIES = ("Travel", "Mystery", "Poetry", "History", "Science")
_RATINGS = ("One", "Two", "Three", "Four", "Five")
_SENTENCES = (
    "A house by the water keeps more than its owners remember.",
    "Two sisters set out to map a valley that is on no map.",
    "Nobody had wound the clock since the spring, and still it struck.",
    "It begins with a recipe and ends with a trial.",
    "Letters, bills and a torn ticket tell the rest.",
    "The naïve reader will find a café on every page, and £5 under one of them.",
)


class Book(NamedTuple):
    """One book; ``number`` counts from 1, ``price`` is in pence."""

    number: int
    title: str
    price: int
    rating: str
    stock: int
    category: str
    description: str

    @property
    def slug(self) -> str:
        """The folder of the book's page below catalogue/."""
        return f"{self.title.lower().replace(' ', '-')}_{self.number}"


def book(number: int) -> Book:
    """Return one of the books 1 to BOOKS."""
    index = number - 1
    return Book(
        number=number,
        title=f"The {_ADJECTIVES[index // 10 % 10]} {_NOUNS[index % 10]}",
        price=1000 + index * 677 % 5000,
        rating=_RATINGS[index * 3 % 5],
        stock=1 + index * 7 % 22,
        category=category_names()[index * 3 // 2 % 5],
        description=" ".join(_SENTENCES[(index + step) % len(_SENTENCES)] for step in range(2 + index % 4)),
    )


def category_names() -> tuple[str, ...]:
    """Return the names of all categories, in the order of the side bar."""
    return _CATEGORIES


def listing_page(number: int, *, root: str = "../") -> str:
    """Return the listing page 1 to 5; ``root`` leads from its URL to the shop's front page."""
    last = BOOKS // PER_PAGE
    first_book = (number - 1) * PER_PAGE + 1
    pods = "\n".join(_pod(book(found), root) for found in range(first_book, first_book + PER_PAGE))
    pager = f'<li class="current">Page {number} of {last}</li>'
    if number > 1:
        pager = f'<li class="previous"><a href="{root}catalogue/page-{number - 1}.html">previous</a></li>{pager}'
    if number < last:
        pager += f'<li class="next"><a href="{root}catalogue/page-{number + 1}.html">next</a></li>'
    main = f'<section><ol class="row">\n{pods}\n</ol><ul class="pager">{pager}</ul></section>'
    return _page("All products", root, main)


def category_page(name: str) -> str:
    """Return the page of one category."""
    root = "../../../../"
    pods = "\n".join(_pod(found, root) for found in map(book, range(1, BOOKS + 1)) if found.category == name)
    return _page(name, root, f'<section><ol class="row">\n{pods}\n</ol></section>')


def book_page(shown: Book) -> str:
    """Return the page of one book."""
    root = "../../"
    rows = (
        ("UPC", f"{shown.number * 2654435761 % 2**32:08x}"),
        ("Product Type", "Books"),
        ("Price (excl. tax)", _pounds(shown.price)),
        ("Availability", f"In stock ({shown.stock} available)"),
        ("Number of reviews", "0"),
    )
    table = "\n".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows)
    main = f"""<ul class="breadcrumb">
<li><a href="{root}index.html">Home</a></li>
<li><a href="{root}{_category_path(shown.category)}">{shown.category}</a></li>
<li class="active">{escape(shown.title)}</li>
</ul>
<article class="product_page">
<div class="col-sm-6 product_main">
<h1>{escape(shown.title)}</h1>
<p class="price_color">{_pounds(shown.price)}</p>
<p class="instock availability"><i class="icon-ok"></i>
    In stock ({shown.stock} available)
</p>
<p class="star-rating {shown.rating}"></p>
</div>
<div id="product_description" class="sub-header"><h2>Product Description</h2></div>
<p>{escape(shown.description)}</p>
<table class="table table-striped">
{table}
</table>
</article>"""
    return _page(shown.title, root, main)


def paths() -> dict[str, str]:
    """Return every page of the shop: absolute path -> HTML."""
    pages = {"/": listing_page(1, root=""), "/index.html": listing_page(1, root="")}
    for number in range(1, BOOKS // PER_PAGE + 1):
        pages[f"/catalogue/page-{number}.html"] = listing_page(number)
    for name in _CATEGORIES:
        pages[f"/{_category_path(name)}"] = category_page(name)
    for found in map(book, range(1, BOOKS + 1)):
        pages[f"/catalogue/{found.slug}/index.html"] = book_page(found)
    return pages


def _category_path(name: str) -> str:
    return f"catalogue/category/books/{name.lower()}_{_CATEGORIES.index(name) + 2}/index.html"


def _pod(shown: Book, root: str) -> str:
    link = f"{root}catalogue/{shown.slug}/index.html"
    title = escape(shown.title)
    return f"""<li class="col-xs-6"><article class="product_pod">
<p class="star-rating {shown.rating}"></p>
<h3><a href="{link}" title="{title}">{title}</a></h3>
<div class="product_price"><p class="price_color">{_pounds(shown.price)}</p>
<p class="instock availability">In stock</p></div>
</article></li>"""


def _pounds(pence: int) -> str:
    return f"£{pence // 100}.{pence % 100:02d}"


def _page(title: str, root: str, main: str) -> str:
    categories = "\n".join(f'<li><a href="{root}{_category_path(name)}">{name}</a></li>' for name in _CATEGORIES)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{escape(title)} | Sample bookshop</title>
</head>
<body>
<header><a href="{root}index.html">Sample bookshop</a></header>
<aside><div class="side_categories"><ul class="nav nav-list">
{categories}
</ul></div></aside>
{main}
<footer><a href="{root}quotes/">Quotes</a> <a href="{root}basket/">Basket</a></footer>
</body>
</html>
"""
