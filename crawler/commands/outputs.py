"""Which feeds do ``-o`` and ``-O`` stand for?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crawler.errors import OutputError


def feeds_of(append: Iterable[str], overwrite: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the FEEDS setting for the files of ``-o`` (append) and ``-O`` (overwrite).

    Each is ``FILE``, ``FILE:FORMAT`` or ``-``, as the feeds read them. Raises OutputError for one given twice.
    """
    feeds: dict[str, dict[str, Any]] = {}
    for text, fresh in [*((text, False) for text in append), *((text, True) for text in overwrite)]:
        if text in feeds:
            raise OutputError(f"{text} is given twice as output")
        feeds[text] = {"overwrite": fresh}
    return feeds
