"""Which feeds do ``-o`` and ``-O`` stand for?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

from crawler.config.nearest import nearest
from crawler.errors import OutputError
from crawler.feeds.formats import FORMATS

_COMPRESSIONS = frozenset({".gz", ".zst"})


def feeds_of(append: Iterable[str], overwrite: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the FEEDS setting for the files of ``-o`` and ``-O``.

    Raises OutputError for a format that does not exist, and a file that is given twice.
    """
    feeds: dict[str, dict[str, Any]] = {}
    for text, fresh in [*((text, False) for text in append), *((text, True) for text in overwrite)]:
        path, form = split_output(text)
        if path in feeds:
            raise OutputError(f"{path} is given twice as output")
        feeds[path] = {"overwrite": fresh} | ({"format": form} if form is not None else {})
    return feeds


def split_output(text: str) -> tuple[str, str | None]:
    """Return path and format of ``FILE``, ``FILE:FORMAT`` or ``-``; format None if the feeds must find it.

    A colon belongs to the path unless a plain word follows it. Raises OutputError.
    """
    path, colon, word = text.rpartition(":")
    if colon and path and word.isalnum() and not _is_drive(path):
        if word.lower() in FORMATS:
            return path, word.lower()
        match = nearest(word, FORMATS)
        hint = f'; did you mean "{match}"?' if match else f"; there are {', '.join(FORMATS)}"
        raise OutputError(f'{text}: there is no format "{word}"{hint}')
    if text == "-":
        return text, "jsonlines"
    suffixes = [suffix.lower() for suffix in PurePath(text).suffixes]
    while suffixes and suffixes[-1] in _COMPRESSIONS:
        suffixes.pop()
    form = suffixes[-1][1:] if suffixes else ""
    return text, form if form in FORMATS else None


def _is_drive(path: str) -> bool:
    return len(path) == 1 and path.isalpha()
