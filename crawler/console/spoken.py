"""What do `crawler attach` and a crawl say to each other? One JSON object a line, of these."""

from __future__ import annotations

from msgspec import Struct

MOST_BYTES = 65_536
"""The longest line that either takes."""


class Typed(Struct, tag="line", frozen=True):
    """A whole line was typed."""

    line: str


class Completed(Struct, tag="complete", frozen=True):
    """What may the line, up to the cursor, be completed to?"""

    line: str


class Interrupted(Struct, tag="interrupt", frozen=True):
    """Ctrl-C was typed."""


class Left(Struct, tag="leave", frozen=True):
    """Ctrl-D was typed."""


class Said(Struct, tag="said", frozen=True):
    """A line to be shown; ``wrong``: it says why something was not done."""

    text: str
    wrong: bool = False


class Ready(Struct, tag="ready", frozen=True):
    """The next line may be typed, behind ``prompt``; the last one went ``well``.

    ``done``: of so much that was asked, but for completions, it is the answer. An interrupt may cross what it is for.
    """

    prompt: str
    well: bool = True
    done: int = 0


class Completions(Struct, tag="completions", frozen=True):
    """From ``start`` on the line may go on as one of these."""

    start: int
    names: list[str]


class Ended(Struct, tag="ended", frozen=True):
    """It is over, and why; "" if that was asked for. ``well``: nothing is wrong."""

    why: str
    well: bool = True


Asked = Typed | Completed | Interrupted | Left
Answered = Said | Ready | Completions | Ended
