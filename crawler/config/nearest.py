"""Which known name did the user mean?"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name most like ``word``, whatever the case of either; None if none is near."""
    by_folded = {name.casefold(): name for name in sorted(known)}
    matches = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean "…"?`` for the end of a message, or nothing."""
    match = nearest(word, known)
    return f'; did you mean "{match}"?' if match is not None and match != word else ""
