"""May the entries of this origin go, as far as its robots.txt is concerned?"""

from __future__ import annotations

from crawler.frontier.entry import Entry
from crawler.frontier.host import HostQueue
from crawler.model.request import Request

UNKNOWN = "unknown"
ASKED = "asked"
OPEN = "open"
REFUSED = "refused"


class Origin:
    """What is known of one origin; ``hosts`` are the slots that may have entries of it."""

    __slots__ = ("delay", "hosts", "listed", "name", "state")

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = UNKNOWN
        self.delay = 0.0
        self.listed = False
        self.hosts: set[HostQueue] = set()

    def __repr__(self) -> str:
        return f"<Origin {self.name} {self.state}>"


def robots_entry(origin: str, host: str) -> Entry:
    """Make the entry that asks for robots.txt: without a token, and before all others of its host."""
    entry = Entry(Request(origin + "/robots.txt"), token=0, order=0, host=host, origin=origin, robots=True)
    entry.key = (-(2**62), 0)
    return entry
