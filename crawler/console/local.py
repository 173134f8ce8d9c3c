"""How does `crawler attach` reach a running crawl? By a Unix socket beside its job, for the job's owner and root."""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

import logging
import os
import pwd
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec
from twisted.internet.base import DelayedCall, ReactorBase
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Factory, connectionDone
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from crawler.console import spoken
from crawler.console.interrupting import interruptible
from crawler.console.session import MOST_LINES, MOST_UNREAD_BYTES, Session
from crawler.console.sockets import Near, user_at
from crawler.errors import UsageError
from crawler.local_socket import LONGEST, listen_at, stop_at

MOST_CONSOLES = 10
UNREAD_SECONDS = 30.0

NewSession = Callable[[str], Session]
"""Makes the session of somebody, given who they are."""

logger = logging.getLogger(__name__)


class LocalDoor:
    """The socket that consoles come in by, and those that are in."""

    def __init__(self, path: Path, new_session: NewSession, reactor: ReactorBase) -> None:
        self.inside: set[LocalConsole] = set()
        self.path = path
        self._new_session = new_session
        self._reactor: Any = reactor
        self._near: Near | None = None
        self._port: Any = None
        self._was_full = False

    def open(self) -> None:
        """Listen. Raises UsageError."""
        self._near = Near(self.path.parent, room=len(os.fsencode(self.path.name)) + 1)
        most = LONGEST - len(os.fsencode(self._address)) + len(self.path.stem)
        if len(self.path.stem) > most:
            self._near.leave()
            raise UsageError(
                f"CONSOLE_ENABLED: the job's name, {self.path.stem}, is too long for a socket beside it: {most} "
                "letters are the most"
            )
        factory = Factory.forProtocol(lambda: LocalConsole(self, self._new_session, self._reactor))
        self._port = listen_at(self._reactor, self._address, factory, name="CONSOLE_ENABLED")

    async def close(self, why: str) -> None:
        """Let nobody in any more, and tell those who are in why."""
        for console in list(self.inside):
            console.end(why)
        if self._port is not None and self._near is not None:
            await stop_at(self._address, self._port)
            self._near.leave()
            self._port = None

    def is_full(self, who: str) -> None:
        """Log that somebody found no room, once."""
        if not self._was_full:
            self._was_full = True
            text = "Console: %s is refused: %d are open, which is the most; no more of the kind are logged"
            logger.warning(text, who, MOST_CONSOLES)

    @property
    def _address(self) -> str:
        assert self._near is not None
        return str(self._near.path / self.path.name)


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


@implementer(IPushProducer)
class LocalConsole(LineOnlyReceiver):
    """One `crawler attach`."""

    delimiter = b"\n"
    MAX_LENGTH = spoken.MOST_BYTES

    def __init__(self, door: LocalDoor, new_session: NewSession, reactor: ReactorBase) -> None:
        self._door = door
        self._reactor: Any = reactor
        self._new_session = new_session
        self._unread = 0
        self._unread_since: DelayedCall | None = None
        self._wire: Any = None
        self._sent_away = False
        self._asked = 0

    def connectionMade(self) -> None:
        """See IProtocol."""
        self._wire = self.transport
        user = user_at(self._wire.getHandle())
        self._session = self._new_session(f"attach {_name_of(user)}")
        self._session.screen = self
        # The mode of the file says the same; it might be changed, or not be obeyed by this system.
        if user not in (os.geteuid(), 0):
            self._drop(f"it is user {user}, and this is for user {os.geteuid()} and root")
            return
        if len(self._door.inside) >= MOST_CONSOLES:
            self._door.is_full(self._session.who)
            self.end(f"{MOST_CONSOLES} consoles are open, which is the most", well=False)
            return
        self._door.inside.add(self)
        self._wire.registerProducer(self, True)
        logger.info("Console: %s is here", self._session.who)
        self._send(spoken.Ready(self._session.prompt))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """See IProtocol."""
        self._session.interrupt()
        self.resumeProducing()
        if self in self._door.inside:
            self._door.inside.remove(self)
            logger.debug("Console: %s has left", self._session.who)

    def lineReceived(self, line: bytes) -> None:
        """Take what the other side says."""
        if self._sent_away:
            return
        try:
            asked = msgspec.json.decode(line, type=spoken.Asked)
        except msgspec.MsgspecError as error:
            self._drop(f"what it says is not understood: {error}")
            return
        self._asked += not isinstance(asked, spoken.Completed)
        if isinstance(asked, spoken.Typed):
            self._session.take(asked.line)
            if self._session.waiting > MOST_LINES:
                self._drop(f"more than {MOST_LINES} lines wait")
        elif isinstance(asked, spoken.Completed):
            self._send(spoken.Completions(*self._session.complete(asked.line)))
        elif isinstance(asked, spoken.Interrupted):
            self._session.interrupt()
        else:
            self._session.leave()

    def lineLengthExceeded(self, line: bytes) -> None:
        """Send away who says too much at once."""
        self._drop(f"it sent a line of more than {self.MAX_LENGTH:,} bytes")

    def end(self, why: str, *, well: bool = True) -> None:
        """Say why it ends, and end it."""
        if self._wire.connected:
            self._send(spoken.Ended(why, well))
            self._wire.unregisterProducer()
            self._wire.loseConnection()
            self._unread_since = self._unread_since or self._reactor.callLater(UNREAD_SECONDS, self._stuck)

    def ready(self, *, well: bool) -> None:
        """See Screen."""
        if self._session.ended:
            self.end("")
        else:
            done = self._asked - self._session.waiting
            self._send(spoken.Ready(self._session.prompt, well, done))

    def holding(self) -> AbstractContextManager[None]:
        """See Screen."""
        return interruptible(self._wire.getHandle())

    def say(self, line: str, *, wrong: bool = False) -> None:
        """See Screen."""
        for start in range(0, max(len(line), 1), _MOST_CHARACTERS):
            self._send(spoken.Said(line[start : start + _MOST_CHARACTERS], wrong))

    def _send(self, answer: spoken.Answered) -> None:
        if not self._wire.connected or self._wire.disconnecting:
            return
        said = msgspec.json.encode(answer)
        self._wire.write(said + b"\n")
        if self._unread_since is not None:
            self._unread += len(said)
            if self._unread > MOST_UNREAD_BYTES:
                self._stuck()

    def pauseProducing(self) -> None:
        """Note that the other side does not read just now (see IPushProducer)."""
        self._unread_since = self._reactor.callLater(UNREAD_SECONDS, self._stuck)

    def resumeProducing(self) -> None:
        """Note that it has read (see IPushProducer)."""
        self._unread = 0
        if self._unread_since is not None and self._unread_since.active():
            self._unread_since.cancel()
        self._unread_since = None

    def stopProducing(self) -> None:
        """See IPushProducer: nothing is left to say."""

    def _stuck(self) -> None:
        self._drop("it does not read what it is told")

    def _drop(self, why: str) -> None:
        logger.warning("Console: %s is sent away: %s", self._session.who, why)
        self._sent_away = True
        self._wire.abortConnection()


_MOST_CHARACTERS = spoken.MOST_BYTES // 12
"""So many are sent at once: as JSON each is 6 bytes at the most, or 12 of two."""
