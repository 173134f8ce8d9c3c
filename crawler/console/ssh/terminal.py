"""How is a line edited at a terminal that is at the other end of SSH?"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import takewhile
from typing import Any, Protocol

from twisted.conch.recvline import HistoricRecvLine

from crawler.console.session import Session

_MOST_HISTORY = 1000


class Wire(Protocol):
    """What the terminal is at the other end of."""

    def show(self, text: str, *, wrong: bool = False) -> None:
        """Send a text."""

    def leave(self, status: int) -> None:
        """End the session."""


def _beginning_of_all(names: Sequence[str]) -> str:
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in same)


class Terminal(HistoricRecvLine):
    """A prompt with line editing, history and completion."""

    terminal: Any

    def __init__(self, session: Session, wire: Wire, size: tuple[int, int]) -> None:
        self._session = session
        self._wire = wire
        self._busy = False
        self.width, self.height = size
        session.screen = self

    def connectionMade(self) -> None:
        """See ITerminalProtocol."""
        self.ps = (self._session.prompt.encode(), b"")
        super().connectionMade()
        self.keyHandlers |= {
            b"\x01": self.handle_HOME,
            b"\x03": self.handle_INTERRUPT,
            b"\x04": self.handle_END_OF_INPUT,
            b"\x05": self.handle_END,
            b"\x08": self.handle_BACKSPACE,
            b"\x0c": self.handle_CLEAR,
            b"\x15": self.handle_KILL,
        }

    def initializeScreen(self) -> None:
        """Leave what is on the screen (see RecvLine)."""
        self.setInsertMode()
        self.drawInputLine()

    def terminalSize(self, width: int, height: int) -> None:
        """Note the size; what stands there is kept (see ITerminalProtocol)."""
        self.width, self.height = width, height

    def lineReceived(self, line: bytes) -> None:
        """Have a line done (see RecvLine)."""
        del self.historyLines[:-_MOST_HISTORY]
        self._busy = True
        self._session.take(line.decode())

    def ready(self, *, well: bool) -> None:
        """See Screen."""
        self._busy = False
        if self._session.ended:
            self._wire.leave(0)
            return
        self.ps = (self._session.prompt.encode(), b"")
        self._draw()

    def holding(self) -> AbstractContextManager[None]:
        """See Screen: what SSH says is heard by the reactor alone."""
        return nullcontext()

    def say(self, line: str, *, wrong: bool = False) -> None:
        """See Screen."""
        if not self._busy:  # something that runs later, while somebody types
            self.terminal.write(b"\r")
            self.terminal.eraseToLineEnd()
        self._wire.show(f"{line}\r\n")
        if not self._busy:
            self._draw()

    def handle_TAB(self) -> None:
        """Complete what stands before the cursor."""
        before = self.currentLineBuffer()[0].decode()
        start, names = self._session.complete(before)
        if not names:
            return
        common = _beginning_of_all(names)
        more = common[len(before) - start :] + (" " if len(names) == 1 and not common.endswith("(") else "")
        if more.strip():
            for character in more:
                self.characterReceived(character.encode(), False)
        elif len(names) > 1:
            self.terminal.nextLine()
            self.terminal.write("  ".join(names).encode())
            self.terminal.nextLine()
            self._draw()

    def handle_INTERRUPT(self) -> None:
        """Ctrl-C: forget the line, wait no longer for what runs."""
        self._forget_line()
        self.terminal.write(b"^C")
        self.terminal.nextLine()
        self._session.interrupt()

    def handle_END_OF_INPUT(self) -> None:
        """Ctrl-D at the beginning of a line: leave."""
        if not self.lineBuffer:
            self.terminal.nextLine()
            self._session.leave()

    def handle_CLEAR(self) -> None:
        """Ctrl-L: clear the screen."""
        self.terminal.eraseDisplay()
        self.terminal.cursorHome()
        self._draw()

    def handle_KILL(self) -> None:
        """Ctrl-U: forget the line."""
        self.handle_HOME()
        self.terminal.eraseToLineEnd()
        self._forget_line()

    def _forget_line(self) -> None:
        self.lineBuffer = []
        self.lineBufferIndex = 0

    def _draw(self) -> None:
        self.drawInputLine()
        if behind := len(self.lineBuffer) - self.lineBufferIndex:
            self.terminal.cursorBackward(behind)
