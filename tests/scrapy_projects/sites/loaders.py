"""What does a catalogue answer?"""

from __future__ import annotations

from tests.scrapy_projects.sites import Answer, Asked, page, path

ROW = """<li class=book data-pages=" {pages} "><h2> the book of {n} </h2><b> £{price} </b><i>Ann</i><i>Bo, jr. "B"</i>
<div class=facts><span data-isbn="9-{n}">x</span><span data-isbn="">y</span></div></li>"""


def answer(asked: Asked) -> Answer | int:
    """Answer shelves and authors."""
    words = path(asked).strip("/").split("/")
    match words:
        case ["shelf", number]:
            rows = [
                ROW.format(n=f"{number}{n}", pages=100 * n or "many", price=f"1,{n}00.50" if n > 1 else f"{n}.5")
                for n in range(4)
            ]
            return page(f"Shelf {number}", f"<ul>{''.join(rows)}</ul>")
        case ["authors"]:
            return page("Authors", "<i class='author old'>Ann</i><i class=author>Bö</i><i>Nobody</i>")
    return 404
