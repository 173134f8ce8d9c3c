"""What does a site of a few pages, or many, answer?"""

from __future__ import annotations

from tests.scrapy_projects.sites import Answer, Asked, page, path


def answer(asked: Asked, pages: int = 3) -> Answer | int:
    """Answer pages that link to each other: to the next three, and to the first ones."""
    if path(asked) == "/robots.txt":
        return Answer("User-agent: *\nDisallow: /c", 200, {"Content-Type": "text/plain"})
    names = [*"abc", *(f"p{number}" for number in range(3, pages))]
    here = path(asked).strip("/")
    place = names.index(here) if here in names else 0
    return page(
        f" {path(asked)} ",
        *(f'<a href="/{name}">{name}</a>' for name in dict.fromkeys([*"abc", *names[place : place + 4]])),
    )
