"""How does a worker speak to its job on the server?

By one numbered call at a time: see ``Turn``. A call whose answer was lost is made again with the same number and the
same words, and is answered as it was the first time.
"""

from __future__ import annotations

import socket

from msgspec import Struct
from msgspec.msgpack import Decoder
from redis.exceptions import OutOfMemoryError

from crawler.errors import LateWorker, StoreError
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.library import NAME, function
from crawler.storage.cluster.reply import Reply, read_reply
from crawler.storage.cluster.wire import Turn

_AT_ONCE = 1000


class Joined(Struct, array_like=True, frozen=True):
    """What a worker finds when it joins a job.

    ``facts`` are those that every worker is told; ``memory``: which stages have some, as Calls.memory() reads it.
    """

    facts: list[tuple[str, bytes | None]]
    stages: list[str]
    done: int
    items: int
    stopping: str
    over: str


_joined = Decoder(Joined).decode


class Calls:
    """The calls of one worker. ``key`` is what the job's keys begin with, ``identity`` is used once, ``called`` is what
    people call it, ``lease`` is in seconds. ``name`` is the library's.
    """

    def __init__(
        self,
        connection: Connection,
        key: str,
        identity: str,
        called: str = "",
        *,
        lease: float = 15.0,
        name: str = NAME,
    ) -> None:
        self.job = key.rpartition(":")[2]
        self.identity = identity
        self._connection = connection
        self._key = key
        self._called = called
        self._machine = socket.gethostname()
        self._lease = round(lease * 1000)
        self._turn = function("turn", name)
        self._drain = function("drain", name)
        self._join = function("join", name)

    def __repr__(self) -> str:
        return f"<Calls of {self._called or self.identity} on {self._key}>"

    def join(self) -> Joined:
        """Begin to be a worker; raises StoreError."""
        return _joined(
            self._connection.call(self._join, self._key, self.identity, self._lease, self._called, self._machine)
        )

    def empty(self) -> Turn:
        """Return a turn that only renews the lease."""
        return Turn()

    def turn(self, number: int, turn: Turn) -> Reply:
        """Carry a turn out, under a number that is one more than the last one's. Raises LateWorker and StoreError."""
        words = (self._key, self.identity, number, self._lease, *turn.arguments())
        try:
            answer = self._connection.call(self._turn, *words)
        except StoreError as error:
            if not is_full(error):
                raise
            answer = self._connection.call(self._drain, *words)
        reply = read_reply(answer)
        if reply.late:
            raise LateWorker(f"the job {self.job} has given this worker's requests to others: it was away for too long")
        return reply

    def close(self) -> None:
        """Make no more calls; one that waits for the server raises StoreError. May be called from any thread."""
        self._connection.close()

    def memory(self, stage: str) -> dict[bytes, bytes]:
        """Return the memory of a stage, by its name in Joined."""
        key = f"{self._key}:mem:{stage}"
        found: dict[bytes, bytes] = {}
        cursor: bytes | int = 0
        while True:
            cursor, pairs = self._connection.command("HSCAN", key, cursor, "COUNT", _AT_ONCE)
            found.update(zip(pairs[::2], pairs[1::2], strict=True))
            if int(cursor) == 0:
                return found


def stage_of(name: str) -> tuple[str, str]:
    """Return the stage and the name of the memory that Joined lists like this."""
    length, _, rest = name.partition(":")
    size = int(length)
    data = rest.encode()
    return data[:size].decode(), data[size:].decode()


def is_full(error: StoreError) -> bool:
    """Tell whether a server has refused a call for want of memory."""
    return isinstance(error.__cause__, OutOfMemoryError)
