"""What does an old shop answer?"""

from __future__ import annotations

from tests.scrapy_projects.sites import Answer, Asked, page, path, query


def answer(asked: Asked) -> Answer | int:
    """Answer lists, details and a form."""
    match path(asked).strip("/").split("/"):
        case ["list"]:
            number = int(query(asked)["page"])
            rows = [
                f'<div class="row"><a href="item/{3 * number + n}"> Item {3 * number + n} </a></div>' for n in range(3)
            ]
            more = f'<a id="next" href="/list?category=all&amp;page={number + 1}">next</a>' if number < 4 else ""
            return page("List", *rows, more)
        case ["item", number]:
            return page(number, f'<span class="price">${number}</span><img src="a.png">',
                        f'<script>var data = {{"name": "n{int(number) // 2}"}};</script>')  # fmt: skip
        case ["form"]:
            return page("Form " + asked.body.decode(), X_Answer="42")
    return 404
