"""What does `crawler attach` do at its own side? It shows a prompt with line editing, or takes a script's lines."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from types import FrameType

import msgspec

from crawler.console import spoken
from crawler.storage.private import make_private_file, make_private_folder


class Gone(Exception):
    """The crawl has ended, or has sent this console away. ``well``: nothing is wrong."""

    def __init__(self, why: str, *, well: bool) -> None:
        super().__init__(why)
        self.well = well


class Attached:
    """A connection with a crawl. ``show`` prints a line that it says, and is told whether that is an error."""

    def __init__(self, peer: socket.socket, show: Callable[[str, bool], None]) -> None:
        self._peer = peer
        self._show = show
        self._answers: SimpleQueue[spoken.Ready | spoken.Completions | Exception] = SimpleQueue()
        self._asked = 0
        self.gone: Exception | None = None
        self.on_end: Callable[[], None] = lambda: None
        threading.Thread(target=self._listen, name="console", daemon=True).start()

    def ready(self) -> spoken.Ready:
        """Wait until the next line may be typed. Raises Gone."""
        while not (isinstance(answer := self._next(), spoken.Ready) and answer.done >= self._asked):
            pass
        return answer

    def do(self, line: str) -> spoken.Ready:
        """Have a line done, and wait for it; Ctrl-C is passed on. Raises Gone."""
        self._send(spoken.Typed(_written(line)))
        while True:
            try:
                return self.ready()
            except KeyboardInterrupt:
                self._send(spoken.Interrupted())

    def interrupt(self) -> spoken.Ready:
        """Forget what was typed. Raises Gone."""
        self._send(spoken.Interrupted())
        return self.ready()

    def leave(self) -> spoken.Ready:
        """Leave the prompt of Python; raises Gone when it was the console that was left."""
        self._send(spoken.Left())
        return self.ready()

    def complete(self, line: str) -> spoken.Completions:
        """Ask what a line may be completed to. Raises Gone."""
        self._send(spoken.Completed(_written(line)))
        while not isinstance(answer := self._next(), spoken.Completions):
            pass
        return answer

    def _next(self) -> spoken.Ready | spoken.Completions:
        answer = self._answers.get()
        if isinstance(answer, Exception):
            self._answers.put(answer)
            raise answer
        return answer

    def _send(self, asked: spoken.Asked) -> None:
        self._asked += not isinstance(asked, spoken.Completed)
        encoded = msgspec.json.encode(asked)
        with suppress(OSError):  # why it has ended comes by the other way
            self._peer.sendall(encoded + b"\n")

    def _listen(self) -> None:
        try:
            self.gone = self._listened()
        except ConnectionError as error:
            self.gone = Gone(f"the crawl has gone: {error.strerror}", well=False)
            if isinstance(error, BrokenPipeError):  # of our own output
                self.gone = error
        except Exception as error:
            self.gone = error
        self._answers.put(self.gone)
        self.on_end()

    def _listened(self) -> Gone:
        with self._peer.makefile("rb") as lines:
            for line in lines:
                answer = msgspec.json.decode(line, type=spoken.Answered)
                if isinstance(answer, spoken.Said):
                    self._show(answer.text, answer.wrong)
                elif isinstance(answer, spoken.Ended):
                    return Gone(answer.why, well=answer.well)
                else:
                    self._answers.put(answer)
        return Gone(
            "the crawl has gone: its process has ended, or its log says why this console was sent away", well=False
        )


def _written(line: str) -> str:
    """Return what was typed as UTF-8 can write it: bytes that are none came in as halves of surrogate pairs."""
    return line.encode(errors="replace").decode()


def run_lines(attached: Attached, lines: Iterable[str]) -> bool:
    """Have lines done, one after the other; return whether all went well. Raises Gone."""
    well = True
    attached.ready()
    for line in lines:
        well = attached.do(line.rstrip("\n")).well and well
    return well


def run_prompt(attached: Attached, history: Path) -> None:
    """Let somebody type until they leave or the crawl ends, which raises Gone."""
    main = threading.get_ident()
    attached.on_end = lambda: signal.pthread_kill(main, signal.SIGUSR1)
    is_typing = False

    def end(number: int, frame: FrameType | None) -> None:
        if is_typing and attached.gone is not None:
            raise attached.gone

    signal.signal(signal.SIGUSR1, end)  # input() waits for a key, and this is what else ends it
    ready = attached.ready()
    with _line_editing(attached, history):
        while True:
            then: Callable[[], spoken.Ready] = attached.ready
            try:
                is_typing = True
                if attached.gone is not None:
                    raise attached.gone
                then = partial(attached.do, input(ready.prompt))
            except EOFError:
                print()
                then = attached.leave
            except KeyboardInterrupt:
                print()
                then = attached.interrupt
            finally:
                is_typing = False
            ready = then()


@contextmanager
def _line_editing(attached: Attached, history: Path) -> Iterator[None]:
    try:
        import readline
    except ImportError:  # not on every system: then without
        yield
        return
    found: list[str] = []

    def complete(text: str, state: int) -> str | None:
        nonlocal found
        if state == 0:
            line, begin = readline.get_line_buffer()[: readline.get_endidx()], readline.get_begidx()
            answer = attached.complete(line)
            found = [(line[: answer.start] + name)[begin:] for name in answer.names]
        return found[state] if state < len(found) else None

    readline.set_completer_delims(" \t\n()[]{}=,")
    readline.set_completer(complete)
    readline.parse_and_bind("tab: complete")
    with suppress(OSError):
        readline.read_history_file(history)
    try:
        yield
    finally:
        with suppress(OSError):  # a prompt without history is one
            make_private_folder(history.parent)
            make_private_file(history)
            readline.set_history_length(1000)
            readline.write_history_file(history)
