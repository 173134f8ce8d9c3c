"""What is somebody told, and in which words?

What a notice says comes in part from the network (URLs, messages of errors) and from users' code. It is made harmless
here, once for all ways: each line is one line, without control characters (so without CR, LF, NUL, the codes by which
IRC clients colour text, and CTCP), without those that turn text around, without surrogates and what XML cannot carry
(XML 1.0 §2.2), of bounded length, and with passwords masked. What is markup on one way alone is escaped there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from crawler.errors import CrawlerError
from crawler.model.masking import escape
from crawler.model.url import shortened

LONGEST_LINE = 400
LONGEST_TITLE = 150
MOST_LINES = 40

Occasion = Literal["end", "errors", "rules"]
"""What a place may want to be told of: the end of a run, the first error of each kind, a rule that is met."""

# Not characters (Unicode 23.7), of which XML has no U+FFFE and U+FFFF; and what is not seen, or reorders what is.
_UNSEEN = re.compile("[\ufdd0-\ufdef\ufffe\uffff\u200b-\u200f\u2060-\u2064\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")


class NotSent(CrawlerError):
    """A notice was not taken; the message says why, in words. ``again``: another attempt may go better."""

    def __init__(self, message: str, *, again: bool = False) -> None:
        super().__init__(line(message))
        self.again = again


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told. ``key`` tells what it is about, so that a job tells it once. Make it by ``notice``."""

    key: str
    occasion: Occasion
    title: str
    lines: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Title and lines."""
        return "\n".join((self.title, *self.lines))


def notice(key: str, occasion: Occasion, title: str, lines: Iterable[str] = ()) -> Notice:
    """Return a notice whose texts are harmless, of MOST_LINES lines at most."""
    shown = [line(each) for each in lines]
    if len(shown) > MOST_LINES:
        shown[MOST_LINES - 1 :] = [f"… {len(shown) - MOST_LINES + 1} more lines"]
    return Notice(key, occasion, line(title, LONGEST_TITLE), tuple(shown))


def line(text: str, most: int = LONGEST_LINE) -> str:
    """Return a text as one harmless line."""
    return _UNSEEN.sub("", escape(shortened(text, most)))
