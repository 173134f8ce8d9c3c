"""Which jobs are on a server, how is one made, what is known of it, and how does it go?

All keys of a job begin with ``JOB_PREFIX:NAME:``; the set ``JOB_PREFIX:jobs`` has the names. What a job is, is one
value that is written once: so a job is there whole or not at all. How far it is, the function library says.

A job has at most one starter, which writes its feeds. It has a key that must be renewed, so that it is free again soon
after a starter has died. Its time runs by the server's clock; if that is stepped, the worst is that a second starter is
let in, and the marks of the feeds are compared on the server: none writes what another one has written.
"""

from __future__ import annotations

import itertools
import os
import secrets
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from crawler.errors import JobInUse, UsageError
from crawler.storage.cluster.client import Connection
from crawler.storage.jobs import Job, check_name, stem_of

FORM = 1
"""Of the keys of a job. Another version of this program may have another one."""

FINISHED = "finished"
"""The reason of an end at which nothing was left and the feeds were closed."""

_UNLINKED_AT_ONCE = 500
_ABOUT = msgspec.json.Decoder(dict[str, Any])


class Progress(NamedTuple):
    """How far a job is; ``workers`` live. ``stopped``: the reason for which it stopped last, "" if it has not."""

    done: int = 0
    queued: int = 0
    items: int = 0
    workers: int = 0
    over: bool = False
    stopped: str = ""


class ServerJobs(ABC):
    """The jobs of one project on a server."""

    def __init__(self, connection: Connection, prefix: str) -> None:
        self.connection = connection
        self._prefix = prefix

    def __repr__(self) -> str:
        return f"<ServerJobs {self._prefix} at {self.connection.address.url}>"

    @abstractmethod
    def progress(self, key: str) -> Progress:
        """Ask the function library how far a job is, by what its keys begin with."""

    def key(self, name: str) -> str:
        """Return what the keys of a job begin with, but for the colon."""
        return f"{self._prefix}:{check_name(name)}"

    def make(self, name: str | None, description: Mapping[str, Any], *, wall: float, library: str) -> str:
        """Make a job and return its name, which is made from the spider's and the time if none is given.

        ``description`` are plain values, ``library`` the name of the functions that work on it. Raises UsageError if
        there is a job of that name.
        """
        # By the last one a repeated call knows what it has written itself.
        about = {"form": FORM, "library": library, "created": wall, **description, "call": secrets.token_hex(8)}
        data = msgspec.json.encode(about)
        stem = stem_of(str(description.get("spider", "job")), wall) if name is None else name
        for number in itertools.count(1):
            found = stem if number == 1 else f"{stem}-{number}"
            key = self.key(found)
            # The name first: a name without a job is nothing, a job without a name could not be found.
            self.connection.command("SADD", f"{self._prefix}:jobs", found)
            if self._made(key, data):
                return found
            if name is not None:
                raise UsageError(f"there is a job {name} at {self.connection.address.url} already; take another name")
        raise AssertionError("the numbers have no end")

    def _made(self, key: str, data: bytes) -> bool:
        """Write what the job is, unless one is there. A repeated call finds what it has written itself."""
        return (
            self.connection.command("SET", f"{key}:about", data, "NX") is not None
            or self.connection.command("GET", f"{key}:about") == data
        )

    def find(self, name: str) -> Job:
        """Return one job; raises UsageError if there is none, or one of another version of this program."""
        job = self._read(name)
        if job is None:
            known = ", ".join(each.name for each in self.list()[:10])
            at = self.connection.address.url
            raise UsageError(f"no job {name!r} at {at}" + (f"; there are {known}" if known else ""))
        if job.state == "damaged":
            raise UsageError(f"job {name}: {job.problem}")
        return job

    def list(self) -> list[Job]:
        """Return all jobs, the one that was made last first."""
        names = sorted(name.decode() for name in self.connection.command("SMEMBERS", f"{self._prefix}:jobs"))
        jobs = [job for name in names if (job := self._read(name)) is not None]
        return sorted(jobs, key=lambda job: job.created, reverse=True)

    def remove(self, name: str, *, starter: Starter | None = None) -> None:
        """Remove a job: all its keys, many at a time. Raises JobInUse while somebody works on it."""
        key = self.key(name)
        if starter is None:
            self.check_unused(name)
        for keys in self._keys(key):
            self.connection.command("UNLINK", *keys)
        # These last: a removal that was cut can be done again.
        self.connection.command("UNLINK", f"{key}:about", f"{key}:starter")
        self.connection.command("SREM", f"{self._prefix}:jobs", name)

    def check_unused(self, name: str) -> None:
        """Raise JobInUse if a starter or a worker works on the job."""
        starter = self.connection.command("GET", f"{self.key(name)}:starter")
        if starter is not None:
            raise JobInUse(f"the job {name} is in use{_by(starter)}; stop that first (Ctrl-C)")
        if workers := self.progress(self.key(name)).workers:
            raise JobInUse(
                f"the job {name} is in use by {workers} worker{'s' * (workers > 1)}; stop them first (Ctrl-C)"
            )

    def starter(self, name: str, lease: float) -> Starter:
        """Return the starter that this process may become."""
        return Starter(self.connection, name, f"{self.key(name)}:starter", lease)

    def _keys(self, key: str) -> Iterator[Sequence[bytes]]:
        last = {f"{key}:about".encode(), f"{key}:starter".encode()}
        cursor: bytes | int = 0
        while True:
            cursor, found = self.connection.command("SCAN", cursor, "MATCH", f"{key}:*", "COUNT", _UNLINKED_AT_ONCE)
            for begin in range(0, len(found), _UNLINKED_AT_ONCE):
                if keys := [each for each in found[begin : begin + _UNLINKED_AT_ONCE] if each not in last]:
                    yield keys
            if int(cursor) == 0:
                return

    def _read(self, name: str) -> Job | None:
        key = self.key(name)
        data = self.connection.command("GET", f"{key}:about")
        if data is None:
            return None
        url = self.connection.address.url
        try:
            about = _ABOUT.decode(data)
        except msgspec.DecodeError as error:
            return Job(name, Path(), "damaged", problem=f"what it is cannot be read: {error}", url=url)
        form = about.pop("form", None)
        about.pop("call", None)
        created = float(about.pop("created", 0.0))
        if form != FORM:
            return Job(name, Path(), "damaged", created=created, problem=_of_another_form(form, name), url=url)
        progress = self.progress(key)
        in_use = progress.workers or self.connection.command("EXISTS", f"{key}:starter")
        # Nothing is left to fetch once it is over; but a starter that was killed then has not closed the feeds.
        finished = progress.over and progress.stopped == FINISHED
        state = "finished" if finished else "running" if in_use else "stopped"
        reason = progress.stopped if state != "running" else ""
        done, queued, items = progress.done, progress.queued, progress.items
        changed = time.time() if state == "running" else created
        return Job(name, Path(), state, done, queued, items, created, changed, reason, about, url=url)


class Starter:
    """The one process that writes a job's feeds, as the server knows it. It is to be renewed several times a lease."""

    def __init__(self, connection: Connection, job: str, key: str, lease: float) -> None:
        self._connection = connection
        self._job = job
        self._key = key
        self._lease = lease
        self._name = f"{os.getpid()}@{_machine()} {secrets.token_hex(8)}"

    def __repr__(self) -> str:
        return f"<Starter of {self._job}>"

    def acquire(self) -> None:
        """Become the starter. Waits for one that may be dead, as long as it takes to see; raises JobInUse if it lives.

        (One that lives renews its key; one of this machine can be seen to be dead.)
        """
        left = -2  # milliseconds, or one of PTTL's words for a key that is not there
        while not self._set("NX"):
            found = self._connection.command("GET", self._key)
            if found is not None and found.decode() == self._name:
                return  # the answer to its first call was lost
            before, left = left, self._connection.command("PTTL", self._key)
            if found is not None and _is_dead(found):
                self._connection.command("DEL", self._key)
            elif 0 <= before < left:  # it was renewed
                raise JobInUse(f"the job {self._job} is in use{_by(found or b'')}")
            else:
                time.sleep(min(0.05, self._lease / 50))

    def renew(self) -> bool:
        """Stay the starter; return whether this still is the one. Gone after an outage, it is taken again."""
        found = self._connection.command("GET", self._key)
        if found is not None and found.decode() != self._name:
            return False
        return self._set("NX") or self._set("XX")

    def release(self) -> None:
        """Let another one be it. A server that is away is not waited for: the key ends by itself."""
        found = self._connection.command("GET", self._key, patience=self._lease)
        if found is not None and found.decode() == self._name:
            self._connection.command("DEL", self._key, patience=self._lease)

    def _set(self, how: str) -> bool:
        answer = self._connection.command("SET", self._key, self._name, how, "PX", int(self._lease * 1000))
        return answer is not None


def check_library(job: Job, library: str) -> None:
    """Raise UsageError if other functions than ours work on a job: all of its processes must be of one version."""
    theirs = job.description.get("library", "")
    if theirs != library:
        raise UsageError(
            f"job {job.name} is worked on by another version of this program (its functions are {theirs}, here they "
            f"are {library}): install the same version on all machines, or let that version finish it"
        )


def _of_another_form(form: object, name: str) -> str:
    return (
        f"it was made by another version of this program (its form is {form}, here it is {FORM}): go on with that "
        f"version, or remove it with that version's `crawler jobs rm {name}`"
    )


def _machine() -> str:
    """Return where a process number means something: a machine, and on it a container."""
    try:
        container = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        container = ""
    return f"{socket.gethostname()}/{container}"


def _is_dead(starter: bytes) -> bool:
    process, _, machine = starter.decode("utf-8", "replace").partition(" ")[0].partition("@")
    return machine == _machine() and process.isdigit() and not Path(f"/proc/{process}").exists()


def _by(starter: bytes) -> str:
    process, _, machine = starter.decode("utf-8", "replace").partition(" ")[0].partition("@")
    return f" by process {process} on {machine.partition('/')[0]}" if machine else ""
