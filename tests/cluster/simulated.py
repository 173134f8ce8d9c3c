"""The function library on a real server, with a time and a run of the server that a test sets.

The shipped functions have no switches for tests: a copy is changed here, and what is changed has to be there.
"""

from __future__ import annotations

from crawler.storage.cluster.calls import Calls
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.jobcalls import JobCalls
from crawler.storage.cluster.library import TEMPLATE, load, named
from crawler.storage.cluster.reply import Begin, Reply
from crawler.storage.cluster.wire import Child, Finish, Turn

KEY = "crawler:job"
LEASE = 15_000

Patch = tuple[str, str]

TIME: Patch = (
    "local x = call('TIME')\n  return x[1] * 1000 + floor(x[2] / 1000)",
    "return tonumber(call('GET', 'time'))",
)
RUN: Patch = (
    "if not process then process = string.match(call('INFO', 'server'), 'run_id:(%w+)') or '' end\n  return process",
    "return call('GET', 'run')",
)


def changed(*patches: Patch) -> tuple[str, str]:
    """Return the name and the source of the library with these texts replaced, and with a time that is set."""
    source = TEMPLATE
    for old, new in (TIME, RUN, *patches):
        assert old in source, f"the library has no {old!r}"
        source = source.replace(old, new)
    return named(source)


class Job:
    """A job on a server whose time is ``now`` (in milliseconds); ``wait`` lets it pass as it does, in small steps."""

    def __init__(self, connection: Connection, *patches: Patch, feeds: tuple[str, ...] = ()) -> None:
        self.connection = connection
        self.name, source = changed(*patches)
        load(connection, source)
        self.now = 1_000_000_000
        self.set_time()
        self.set_run("first")
        self.calls = JobCalls(connection, KEY, name=self.name)
        self.calls.create(feeds)

    def set_time(self, now: int | None = None) -> None:
        """Let the server's clock show the time, or another one."""
        self.connection.command("SET", "time", self.now if now is None else now)

    def set_run(self, run: str) -> None:
        """Let the server be another process from now on."""
        self.connection.command("SET", "run", run)

    def wait(self, milliseconds: int) -> None:
        """Let time pass while the job is looked at."""
        until = self.now + milliseconds
        while self.now < until:
            self.now = min(self.now + 1000, until)
            self.set_time()
            self.calls.state()

    def worker(self, identity: str) -> Worker:
        """Return a worker that has joined."""
        return Worker(self, identity)

    def get(self, key: str) -> bytes | None:
        """Return the value of a key of the job."""
        value: bytes | None = self.connection.command("GET", f"{KEY}:{key}")
        return value


class Worker:
    """A worker that makes its turns by hand."""

    def __init__(self, job: Job, identity: str) -> None:
        self.calls = Calls(job.connection, KEY, identity, identity.lower(), lease=LEASE / 1000, name=job.name)
        self.joined = self.calls.join()
        self.number = 0

    def turn(self, turn: Turn | None = None) -> Reply:
        """Make the next turn."""
        self.number += 1
        return self.calls.turn(self.number, Turn() if turn is None else turn)

    def again(self, turn: Turn) -> Reply:
        """Make the last turn once more."""
        return self.calls.turn(self.number, turn)

    def start(self) -> Begin:
        """Become the one that runs start()."""
        begin = self.turn(Turn(room=1)).begin
        assert begin is not None
        return begin

    def seed(self, *children: Child, ended: bool = True) -> list[bool]:
        """Run start() with these requests."""
        self.start()
        reply = self.turn(Turn(finishes=[Finish(-1, children=list(children), count=len(children), ended=ended)]))
        return reply.finishes[0].new()

    def take(self, host: str, count: int = 10) -> list[int]:
        """Hold a host, and take rows; return their tokens."""
        self.turn(Turn(wants=[host]))
        return [row.token for row in self.turn(Turn(takes=[(host, count)])).takes[0]]


def child(fingerprint: int, host: str = "a", *, priority: int = 0, check: int = True, payload: bytes = b"") -> Child:
    """Return a new request."""
    return Child(fingerprint, check, host, priority, payload or b"page %d" % fingerprint)
