"""What does a depot answer?"""

from __future__ import annotations

from tests.scrapy_projects.sites import Answer, Asked, page, path


def answer(asked: Asked) -> Answer | int:
    """Answer a page of rows by its number."""
    words = path(asked).strip("/").split("/")
    if len(words) == 1 and words[0].isdigit():
        start = int(words[0]) * 5
        return page(
            "Rows",
            *(
                f"<li id={n}><b>{'odd' if n % 2 else 'even'}</b><i>Zeile „{n}“ &amp; ü</i>"
                for n in range(start, start + 5)
            ),
        )
    return page(f"Side {words[-1]}")
