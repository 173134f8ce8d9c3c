"""How does the process that writes the feeds get the items of all workers, and what does it know of the crawl?

Its calls are not numbered: each may be made twice. Items are pulled in the order of their commits. A feed's mark is
written against the mark before, and in the run of the server in which the items came: if the server was put back to an
older state meanwhile, its marks are older than the feeds, its requests will bring other items, and whatever this
process remembers is worth nothing. ``WentBack`` says so; the feeds are then opened again where the server stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from crawler.errors import StoreError


class WentBack(StoreError):
    """The server is in an older state than it was."""


class State(Struct, frozen=True):
    """A crawl of many workers at one moment.

    ``queued`` requests wait on the server, ``taken`` ones are at workers; ``items`` were committed. ``workers`` are
    alive; ``pages`` has how many pages each has had, by its name. ``stats`` are the sums over all that there ever
    were. ``stopping`` is the reason for which the crawl is to stop, "" if it goes on; ``over``: nothing is left.
    ``start_failed``: start() has raised.
    """

    queued: int = 0
    taken: int = 0
    done: int = 0
    items: int = 0
    errors: int = 0
    workers: int = 0
    pages: Mapping[str, int] = {}
    stats: Mapping[str, Any] = {}
    stopping: str = ""
    over: bool = False
    start_failed: bool = False
