"""What is a session of SSH (RFC 4254 §6) at the console: a terminal, lines without one, or one command?"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

import logging
import struct
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from twisted.conch.insults.insults import ServerProtocol, modes
from twisted.conch.ssh.channel import SSHChannel
from twisted.conch.ssh.common import getNS
from twisted.conch.ssh.connection import EXTENDED_DATA_STDERR
from twisted.conch.ssh.session import parseRequest_pty_req, parseRequest_window_change

from crawler.console.session import MOST_LINES, MOST_UNREAD_BYTES, Session
from crawler.console.spoken import MOST_BYTES
from crawler.console.ssh.terminal import Terminal

MOST_CHANNELS = 10

logger = logging.getLogger(__name__)


class ConsoleChannel(SSHChannel):
    """One session of somebody who was let in."""

    avatar: Any
    conn: Any

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._session: Session = self.avatar.new_session(self.avatar.who)
        self._size: tuple[int, int] | None = None
        self._terminal: Any = None
        self._plain: Plain | None = None
        self._line = b""
        self._unended = 0
        self._asked = False

    def request_pty_req(self, data: bytes) -> bool:
        """Note that there is a terminal, and its size."""
        _, (rows, columns, *_), _ = parseRequest_pty_req(data)
        self._size = columns, rows
        return True

    def request_window_change(self, data: bytes) -> bool:
        """Note that the terminal has another size."""
        rows, columns, *_ = parseRequest_window_change(data)
        if self._terminal is not None:
            self._terminal.terminalProtocol.terminalSize(columns, rows)
        return True

    def request_shell(self, data: bytes) -> bool:
        """Open the prompt, or take lines where there is no terminal."""
        if self._asked:
            return False
        self._asked = True
        if self._size is None:
            self._session.screen = self._plain = Plain(self, self._session)
        else:
            self._terminal = ServerProtocol(Terminal, self._session, self, self._size)
            self._terminal.makeConnection(self)
        return True

    def request_exec(self, data: bytes) -> bool:
        """Do one line."""
        if self._asked:
            return False
        self._asked = True
        line, _ = getNS(data)
        if len(line) > MOST_BYTES:
            return False
        self._session.screen = plain = Plain(self, self._session)
        self._session.take(line.decode(errors="replace"))
        plain.end()
        return True

    def dataReceived(self, data: bytes) -> None:
        """Take what is typed."""
        self._unended = 0 if b"\r" in data or b"\n" in data else self._unended + len(data)
        if self._unended > MOST_BYTES or len(data) > MOST_BYTES:
            self.drop(f"it sent a line of more than {MOST_BYTES:,} bytes")
        elif self._terminal is not None:
            self._terminal.dataReceived(data)
        elif self._plain is not None:
            *lines, self._line = (self._line + data).split(b"\n")
            for line in lines:
                self._session.take(line.decode(errors="replace"))
        if self._session.waiting > MOST_LINES:
            self.drop(f"more than {MOST_LINES} lines wait")

    def eofReceived(self) -> None:
        """Leave, once what was typed is done."""
        if self._plain is not None:
            if self._line:
                self._session.take(self._line.decode(errors="replace"))
            self._plain.end()

    def closed(self) -> None:
        """Forget what was typed."""
        if self._asked:
            self._session.ended = True
            self._session.interrupt()

    def show(self, text: str, *, wrong: bool = False) -> None:
        """Send a text; what is wrong goes to the other side's stderr where it has one."""
        if self.localClosed or self.remoteClosed:
            return
        data = text.encode(errors="replace")
        if wrong and self._terminal is None:
            self.writeExtended(EXTENDED_DATA_STDERR, data)
        else:
            self.write(data)
        if len(self.buf) + sum(len(each) for _, each in self.extBuf) > MOST_UNREAD_BYTES:
            self.drop("it does not read what it is told")

    def leave(self, status: int) -> None:
        """End the session with the status of a command (RFC 4254 §6.10)."""
        if not self.localClosed and not self.closing:
            if self._terminal is not None:
                self._terminal.resetModes([modes.IRM])  # the prompt had it insert what is typed
            self.conn.sendRequest(self, b"exit-status", struct.pack(">L", status))
            self.loseConnection()

    def end(self, why: str) -> None:
        """Say why it ends, and end it: nothing is wrong."""
        self.show(f"\r\n{why}\r\n" if self._terminal is not None else f"{why}\n", wrong=True)
        self.leave(0)

    def drop(self, why: str) -> None:
        """Send somebody away who harms."""
        logger.warning("Console: %s is sent away: %s", self._session.who, why)
        self._session.ended = True
        self.conn.transport.transport.abortConnection()


class Plain:
    """Where no terminal is: the lines of a script, or the one of a command."""

    def __init__(self, channel: ConsoleChannel, session: Session) -> None:
        self._channel = channel
        self._session = session
        self._over = False
        self._well = True

    def holding(self) -> AbstractContextManager[None]:
        """See Screen: what SSH says is heard by the reactor alone."""
        return nullcontext()

    def say(self, line: str, *, wrong: bool = False) -> None:
        """See Screen."""
        self._channel.show(f"{line}\n", wrong=wrong)

    def ready(self, *, well: bool) -> None:
        """See Screen."""
        self._well = self._well and well
        if self._session.ended or (self._over and self._session.is_idle):
            self._channel.leave(0 if self._well else 2)

    def end(self) -> None:
        """Leave as soon as all is done: nothing more is typed."""
        self._over = True
        if self._session.is_idle:
            self.ready(well=True)
