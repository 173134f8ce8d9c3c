"""What does a site answer that is there for signals?"""

from __future__ import annotations

from tests.scrapy_projects.sites import Answer, Asked, page, path


def answer(asked: Asked) -> Answer | int:
    """Answer by the path."""
    if path(asked) == "/missing":
        return 404
    return page(path(asked), "x" * 200)
