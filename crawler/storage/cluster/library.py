"""Which functions work on jobs, what are they called, and how do they get onto a server?

Names of functions are global on a server: they carry a hash of the source, so that two versions of this program stand
side by side, each with its own, and none finds itself calling the other's.
"""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files

from msgspec import Struct
from msgspec.msgpack import Decoder

from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.jobs import Progress, ServerJobs

_PLACE = "@NAME@"


def named(source: str) -> tuple[str, str]:
    """Return the name of a library with this source, and the source with its name in it."""
    name = f"crawler_{sha256(source.encode()).hexdigest()[:16]}"
    return name, source.replace(_PLACE, name)


TEMPLATE = files(__package__).joinpath("functions.lua").read_text("utf-8")
"""The source, as yet without a name."""

NAME, SOURCE = named(TEMPLATE)


def load(connection: Connection, source: str = SOURCE) -> None:
    """Load the functions, unless they are there; raises StoreError or UsageError."""
    connection.command("FUNCTION", "LOAD", "REPLACE", source)


def function(call: str, name: str = NAME) -> str:
    """Return the full name of one of the functions."""
    return f"{name}_{call}"


class ByWorker(Struct, array_like=True, frozen=True):
    """What one worker has told under a name: ``called`` is what people call it; ``alive`` whether it lives."""

    called: str
    alive: bool | int
    value: bytes


class JobState(Struct, array_like=True, frozen=True):
    """How far a job is.

    ``workers`` have a lease, of which ``living`` have called lately (where nobody calls, no lease ends). ``stopping``:
    the reason for which it is to stop now; ``stopped``: that for which it stopped last. ``backlog``: bytes of items
    that are not yet written. ``stats`` and ``errors`` are what each worker has told.
    """

    queued: int
    taken: int
    done: int
    items: int
    workers: int
    living: int
    stopping: str
    over: str
    backlog: int
    failed: int
    dropped: int
    duplicates: int
    seen: int
    stopped: str
    stats: list[ByWorker]
    errors: list[ByWorker]


_state = Decoder(JobState).decode


def state(connection: Connection, key: str, *, look: bool, name: str = NAME) -> JobState:
    """Return how far the job is. ``look``: who does it often keeps the job's time going, even if no worker is left."""
    return _state(connection.call(function("state", name), key, *(["look"] if look else [])))


class LibraryJobs(ServerJobs):
    """The jobs of one project, which this library works on."""

    def progress(self, key: str) -> Progress:
        """See ServerJobs."""
        found = state(self.connection, key, look=False)
        queued = found.queued + found.taken
        return Progress(found.done, queued, found.items, found.living, bool(found.over), found.stopped)
