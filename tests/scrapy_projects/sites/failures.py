"""What does a site answer that is hardly ever asked?"""

from __future__ import annotations

from tests.scrapy_projects.sites import Answer, Asked, page, path


def answer(asked: Asked) -> Answer:
    """Answer a page by its path."""
    return page(path(asked))
