"""What does a site of a few pages answer?"""

from __future__ import annotations

from tests.scrapy_projects.sites import Answer, Asked, page, path


def answer(asked: Asked) -> Answer | int:
    """Answer three pages that link to each other."""
    if path(asked) == "/robots.txt":
        return Answer("User-agent: *\nDisallow: /c", 200, {"Content-Type": "text/plain"})
    return page(f" {path(asked)} ", *(f'<a href="/{name}">{name}</a>' for name in "abc"))
