"""Which known name did the user mean?

``nearest`` is generous, for hints. ``misspelt`` is strict, for where a name that is not known is no error:
it tells a slip of the keyboard from a name of one's own.
"""

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


_LONG = 12
"""From this length on two slips are believed."""


def misspelt(word: str, known: Iterable[str]) -> str | None:
    """Return the known name that ``word`` is most likely a misspelling of; None if it is a name of its own.

    One letter left out, added, wrong, or swapped with the next, two from 12 letters on, or the wrong case. The plural
    of a known name is none, nor is a longer name that has it as a part: USER_AGENTS, USER_AGENT_2, OLD_USER_AGENT.
    Nor does it begin with another short word: EMAIL_FROM and SMTP_PASSWORD are not MAIL_FROM and FTP_PASSWORD.
    """
    most = 2 if len(word) >= _LONG else 1
    folded = word.casefold()
    best = None
    for name in sorted(known):
        other = name.casefold()
        if abs(len(other) - len(folded)) > most or _is_form_of(folded, other):
            continue
        slips = _slips(folded, other)
        if slips <= most:
            most, best = slips - 1, name
    return best


def _is_form_of(word: str, known: str) -> bool:
    plurals = (f"{known}es" if known.endswith("s") else f"{known}s", f"{known[:-1]}ies" if known.endswith("y") else "")
    if word in plurals or word.startswith(f"{known}_") or word.endswith(f"_{known}"):
        return True
    (first, _, rest), (short, _, same) = word.partition("_"), known.partition("_")
    another = 0 < len(short) <= 4 and short[0] != first[:1] and len(first) > len(short)
    return another and rest == same != ""


def _slips(word: str, other: str) -> int:
    """Return the distance of two words in slips: optimal string alignment (Damerau 1964)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(word):
        earlier, before = before, row
        row = [place + 1]
        for column, wanted in enumerate(other):
            least = min(before[column] + (letter != wanted), before[column + 1] + 1, row[column] + 1)
            if place and column and letter == other[column - 1] and word[place - 1] == wanted:
                least = min(least, earlier[column - 1] + 1)
            row.append(least)
    return row[-1]
