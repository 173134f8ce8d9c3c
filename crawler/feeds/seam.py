"""What must a feed be able to do?

A feed writes the items of a crawl to one destination in one format. Its methods block and are all
called in that feed's own thread, one at a time. After a kill, ``open(mark)`` with the last mark that
was committed continues exactly there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Feed(Protocol):
    """One output. ``name`` is unique in a crawl and is what the user wrote (the path or "-").

    It may have ``lost``, a list of (item, error): what a ``write`` left out since a function of the user's raised.
    Who reads it after the write empties it. It may have ``place(folder)``, which is told before ``open`` where it may
    keep files of its own, in a folder (made when it is needed) that goes with the job; not told: there is no job.

    One that has ``keyed`` True is the crawl's own: it gets each item with where it comes from (model.keyed.Keyed), and
    the user is not told of it.
    """

    name: str

    def check(self) -> None:
        """Raise OutputError if the destination cannot be written; changes nothing. Runs before the start."""

    def open(self, mark: dict[str, Any] | None, *, durable: bool) -> None:
        """Open: fresh (None), or where ``mark`` says, cutting off what was written after it.

        Raises OutputError if the destination cannot be opened, is locked by another process, or is not
        what the mark describes. ``durable``: every write ends in fsync, so that its mark may be committed.
        """

    def write(self, items: Sequence[Any], number: int) -> dict[str, Any]:
        """Write items, the last of which has ``number``; return the mark (plain types, with "number").

        The first call after ``open(mark)``, without items, may answer with a higher number: up to there the
        destination has all, and the caller goes on behind it. Asked again, it takes the number it is given. A mark may
        have a lower number: what is behind that has to come again after a kill.

        Raises FeedError. The mark is committed by the caller, who then calls ``committed``; if it has something
        under "renames", ``kept`` first, and ``committed`` a while later, or not before ``close``, which then does it.
        """

    def kept(self, mark: dict[str, Any]) -> None:
        """The mark is on the disk, and what it says is safe. The next process may all the same find one before it."""

    def committed(self, mark: dict[str, Any]) -> None:
        """Nobody goes back behind the mark: finish what had to wait for that (a rename of a new generation)."""

    def close(self, *, finished: bool) -> dict[str, Any]:
        """Write the trailer and close, so that the file is valid; return the last mark.

        ``finished`` False: the crawl will go on later from the mark; the file is valid all the same.
        """

    def count(self) -> int:
        """Return how many items this feed has written, earlier runs of the job included."""
