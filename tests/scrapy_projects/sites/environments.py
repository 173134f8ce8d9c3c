"""What do places answer?"""

from __future__ import annotations

from tests.scrapy_projects.sites import Answer, Asked, page, path, redirect


def answer(asked: Asked) -> Answer | int:
    """Answer by the path."""
    match path(asked):
        case "/missing":
            return 404
        case "/moved":
            return redirect("/b")
    return page(path(asked), f"<h2>{asked.headers.get('Authorization')}</h2>")
