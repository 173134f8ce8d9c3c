"""How are calls made on the server, and what of its outages is seen?

redis-py and hiredis carry the calls: they know URLs, TLS, Unix sockets and authentication. They block, in a thread of
the store, which is there anyway for the lease: so no client on the reactor is needed. Their own repetition is off.
Calls that change a job are numbered, so that the *same* call can be made again after a lost answer: it is made here
again until it is answered, and the caller sees no outage, only a call that takes its time.

Before the crawl begins nothing is hidden: whatever is wrong is a UsageError that says what to do.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, TypeAlias

from redis import exceptions
from redis.backoff import NoBackoff
from redis.connection import AbstractConnection, SSLConnection, UnixDomainSocketConnection
from redis.connection import Connection as TCPConnection
from redis.retry import Retry

from crawler.errors import StoreError, UsageError
from crawler.storage.cluster.address import Address
from crawler.storage.cluster.trouble import FUNCTION_MISSING, trouble

logger = logging.getLogger(__name__)

Word: TypeAlias = str | bytes | int
Answer: TypeAlias = Any
"""What RESP2 has: bytes, a whole number, None, or a list of these."""

LOADING_SECONDS = 60.0
"""So long a server that reads its data is waited for, before the crawl begins."""


class Connection:
    """One connection, for one thread at a time. ``close`` may be called from any.

    ``lease`` in seconds: a third of it, but at least 1 s, is waited for an answer, a tenth at most between two tries.
    ``library`` is the source of the server's functions: loaded again where they are missing. ``patience``: for how long
    an outage is hidden, in seconds; None: for ever.
    """

    def __init__(
        self, address: Address, *, lease: float = 15.0, library: str = "", patience: float | None = None
    ) -> None:
        self.address = address
        self.library = library
        self._lease = lease
        self._patience = patience
        self._wire = _wire(address, timeout=max(lease / 3, 1.0))
        self._is_open = False
        self._closed = threading.Event()
        self._turn = threading.Lock()
        self._told = False

    def __repr__(self) -> str:
        return f"<Connection {self.address.url} {'open' if self._is_open else 'closed'}>"

    def open(self) -> None:
        """Connect; from now on outages are hidden. Raises UsageError."""
        until = time.monotonic() + LOADING_SECONDS
        while True:
            try:
                self._ask(("PING",))
            except exceptions.BusyLoadingError as error:
                if time.monotonic() < until and not self._closed.wait(0.1):
                    continue
                raise UsageError(trouble(error, self.address).sentence) from error
            except (exceptions.RedisError, OSError) as error:
                raise UsageError(trouble(error, self.address).sentence) from error
            self._is_open = True
            return

    def trust(self) -> None:
        """Hide outages from now on: the process that has started this one has seen that the server is right."""
        self._is_open = True

    def close(self) -> None:
        """End; a call that waits for the server raises StoreError."""
        self._is_open = False
        self._closed.set()
        if self._turn.acquire(blocking=False):
            try:
                self._wire.disconnect()
            finally:
                self._turn.release()

    def call(self, function: str, *arguments: Word, patience: float | None = None) -> Answer:
        """Call a function of the library: the first argument is its one key. See ``command``."""
        return self.command("FCALL", function, 1, *arguments, patience=patience)

    def readonly(self, function: str, *arguments: Word, patience: float | None = None) -> Answer:
        """Call a function that changes nothing: the first argument is its one key. See ``command``."""
        return self.command("FCALL_RO", function, 1, *arguments, patience=patience)

    def command(self, *words: Word, patience: float | None = None) -> Answer:
        """Have any command carried out, whatever becomes of the connection meanwhile: it must bear being repeated.

        ``patience``: seconds after which an outage is an error; None: the connection's. Raises StoreError for that, for
        a server that refuses the command, and when this is closed; UsageError instead if it was never open.
        """
        patience = self._patience if patience is None else patience
        until = None if patience is None else time.monotonic() + patience
        pause = 0.0
        reloaded = False
        while True:
            try:
                answer = self._ask(words)
            except (exceptions.RedisError, OSError) as error:
                if self.library and not reloaded and FUNCTION_MISSING in str(error):
                    reloaded = self._reload()
                    continue
                self._weigh(error, until, again=pause > 0.0)
            else:
                if self._told:
                    self._told = False
                    logger.warning("The server at %s answers again", self.address.url)
                return answer
            if pause and self._closed.wait(pause):
                raise StoreError(f"the connection to {self.address.url} is closed")
            pause = min(max(pause * 2, 0.01), self._lease / 10)

    def _ask(self, words: tuple[Word, ...]) -> Answer:
        with self._turn:
            if self._closed.is_set():
                raise StoreError(f"the connection to {self.address.url} is closed")
            try:
                self._wire.send_command(*words, check_health=False)
                return self._wire.read_response()
            except exceptions.ResponseError:
                raise
            except BaseException:
                # Half an answer may be under way: the next call must not read it.
                self._wire.disconnect()
                raise

    def _reload(self) -> bool:
        """Load the functions again: the server has lost them with its data, or somebody has emptied it."""
        try:
            self._ask(("FUNCTION", "LOAD", "REPLACE", self.library))
        except (exceptions.RedisError, OSError) as error:
            logger.debug("The functions could not be loaded: %s", error)
            return not trouble(error, self.address).passes
        return True

    def _weigh(self, error: Exception, until: float | None, *, again: bool) -> None:
        """Raise unless the call is to be made again."""
        found = trouble(error, self.address)
        if not self._is_open:
            kind = StoreError if self._closed.is_set() else UsageError
            raise kind(found.sentence) from error
        if not found.passes or (until is not None and time.monotonic() >= until):
            raise StoreError(found.sentence) from error
        if again and not self._told:
            self._told = True
            logger.warning("%s. The crawl goes on when it answers", found.sentence)


def _wire(address: Address, timeout: float) -> AbstractConnection:
    common: dict[str, Any] = {
        "db": address.database,
        "username": address.user,
        "password": address.password,
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "driver_info": None,
    }
    kind: Any = TCPConnection  # its types are not complete
    if address.socket:
        kind = UnixDomainSocketConnection
        common["path"] = address.socket
    else:
        common |= {"host": address.host, "port": address.port}
    if address.tls:
        kind = SSLConnection
        common |= {**address.files, "ssl_check_hostname": True, "ssl_cert_reqs": "required"}
    wire: AbstractConnection = kind(**common)
    return wire
