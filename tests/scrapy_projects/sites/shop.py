"""What does a shop answer whose categories have pages, and whose links are of every kind?"""

from __future__ import annotations

from tests.scrapy_projects.sites import Answer, Asked, host, page, path, query, redirect

ROBOTS = "User-agent: *\nDisallow: /\n\nUser-agent: storebot\nDisallow: /category/secret\nAllow: /\n"


def answer(asked: Asked, pages: int = 3) -> Answer | int:
    """Answer as the shop does; ``pages`` are those of a category."""
    words = path(asked).strip("/").split("/")
    if words == ["robots.txt"]:
        return Answer(ROBOTS, 200, {"Content-Type": "text/plain"})
    if host(asked) not in ("www.store.example", "store.example"):
        return 500
    match words:
        case [""]:
            links = "".join(
                f'<li><a href="/category/{name}"> {name} </a>' for name in ("books", "toys", "hidden", "secret")
            )
            return page(
                "Store", f"<ul>{links}</ul>", '<a href="/category/books#top">again</a><a href="/Category/none">no</a>',
                '<img src="/broken/image.png"><a href="mailto:a@b.example">m</a><a href="javascript:void(0)">j</a>'
                '<a href="http://elsewhere.example/category/books">off</a><a rel=nofollow href="/category/nofollow">n</a>'
                '<a href="/files/list.pdf">pdf</a><area href="/broken/page">',
            )  # fmt: skip
        case ["category", name]:
            number = int(query(asked).get("page", "0"))
            first = 3 * number + (14 + 2 * pages) * 2 * ("nofollow", "books", "toys", "none").index(name)
            rows = [f'<a href="/product/{first + each}" title=t>Product  {each}</a>' for each in range(3)]
            more = "".join(
                f'<li><a href="?page={other}">{other}</a><li><a href="?page={other}&print=1">print</a>'
                for other in range(1, pages + 1)
            )
            return page(name, f'<div class="list">{"".join(rows)}</div>', f"<ul class='pages'>{more}</ul>")
        case ["product", number]:
            price = "" if int(number) % 5 == 0 else f'<span class="price">${number}.50</span>'
            return page(
                f"Product {number}", price, "Category: books",
                '<div class="related"><a href="/product/1?b=2&a=1">r</a><a href="../x y">s</a></div>',
            )  # fmt: skip
        case ["broken", "page"]:
            return 410
        case ["broken", _]:
            return redirect("/category/books")
    return 404
