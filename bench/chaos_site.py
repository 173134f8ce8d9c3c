"""What does a site do at its worst, and what must a crawler make of it?

Lists lead to a hundred pages each and to the next list. What a page does when it is fetched follows from
its number: two in three are plain pages, the others reset, dribble, lie about their length, break off,
or say nothing. ``KINDS`` names what each must come to. The site runs in a process of its own:

    python -m bench.chaos_site          # prints its port, serves until its input ends
"""

from __future__ import annotations

import asyncio
import gzip
import random
import re
import socket
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

HOSTS = [f"127.0.0.{number}" for number in range(2, 10)]
PAGES_PER_LIST = 100
MAX_BODY = 200_000
"""The limit that the crawl is to set; some bodies are above it."""

CLOSE, RESET, HANG = "close", "reset", "hang"
Step = bytes | float | str


class Kind(NamedTuple):
    """So many of 1,800 pages, and what a fetch of one must end in: "page" or the name of an error."""

    weight: int
    outcome: str = "page"


KINDS = {
    "plain": Kind(1230),
    "gzip": Kind(100),
    "chunked": Kind(100),
    "to the end": Kind(30),
    "HTTP/1.0": Kind(20),
    "hints first": Kind(20),
    "trailers": Kind(20),
    "LF only": Kind(20),
    "folded": Kind(10),
    "equal lengths": Kind(10),
    "more than the length": Kind(20),
    "closed while idle": Kind(20),
    "dribbled": Kind(20),
    "moved": Kind(30),
    "reset at first": Kind(10),
    "busy at first": Kind(10),
    "missing": Kind(30, "HttpError"),
    "no answer": Kind(10, "ConnectionLost"),
    "reset": Kind(10, "ConnectionLost"),
    "half a head": Kind(10, "ConnectionLost"),
    "half a body": Kind(10, "TruncatedBody"),
    "reset in the body": Kind(10, "TruncatedBody"),
    "bad chunk": Kind(10, "TruncatedBody"),
    "not HTTP": Kind(5, "BadResponse"),
    "NUL": Kind(5, "BadResponse"),
    "unequal lengths": Kind(5, "BadResponse"),
    "switched": Kind(5, "BadResponse"),
    "endless head": Kind(5, "HeadTooLarge"),
    "too long": Kind(5, "BodyTooLarge"),
    "bomb": Kind(3, "BodyTooLarge"),
    "not gzip": Kind(5, "DecodingError"),
    "silent": Kind(1, "FetchTimeout"),
    "endless dribble": Kind(1, "FetchTimeout"),
}
_ORDER = [name for name, kind in KINDS.items() for _ in range(kind.weight)]
random.Random(4).shuffle(_ORDER)
_BOMB = gzip.compress(bytes(20_000_000))


def kind_of(number: int) -> str:
    """Return what page ``number`` does."""
    return _ORDER[number % len(_ORDER)]


def page(number: int) -> bytes:
    """Return what page ``number`` holds, if it comes."""
    return b"<title>Page %d</title>" % number + b"<p>A page among others." * 80


def first_list(host: int, port: int) -> str:
    """Return the URL at which the crawl of one of HOSTS begins."""
    return f"http://{HOSTS[host]}:{port}/list/{host}/0"


def _list(host: int, number: int) -> bytes:
    first = (number * len(HOSTS) + host) * PAGES_PER_LIST
    links = b"".join(b'<a href="/page/%d">a page</a>\n' % (first + step) for step in range(PAGES_PER_LIST))
    return links + b'<a rel="next" href="/list/%d/%d">more</a>\n' % (host, number + 1)


def _answer(body: bytes, headers: bytes = b"", status: bytes = b"200 OK") -> bytes:
    lines = b"HTTP/1.1 %b\r\nContent-Type: text/html\r\nContent-Length: %d\r\n%b\r\n"
    return lines % (status, len(body), headers) + body


def _chunked(body: bytes, trailers: bytes = b"") -> bytes:
    half = len(body) // 2
    pieces = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (body[:half], body[half:]))
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n" + trailers + b"\r\n"


class _Page(NamedTuple):
    """What a page is made of: its body, and the plain response."""

    number: int
    body: bytes
    whole: bytes


_ENDLESS_HEAD = b"HTTP/1.1 200 OK\r\n" + b"X-A: some more\r\n" * 40_000
_TOO_LONG = b"HTTP/1.1 200 OK\r\n\r\n" + bytes(MAX_BODY + 100_000)
_SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
_AT_FIRST: dict[str, Step] = {"reset at first": RESET, "busy at first": _answer(b"busy", status=b"503 Busy")}
_BEHAVIOUR: dict[str, Callable[[_Page], Sequence[Step]]] = {
    "plain": lambda it: (it.whole,),
    "gzip": lambda it: (_answer(gzip.compress(it.body, 1), b"Content-Encoding: gzip\r\n"),),
    "chunked": lambda it: (_chunked(it.body),),
    "to the end": lambda it: (b"HTTP/1.1 200 OK\r\n\r\n" + it.body, CLOSE),
    "HTTP/1.0": lambda it: (b"HTTP/1.0 200 OK\r\n\r\n" + it.body, CLOSE),
    "hints first": lambda it: (b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n", it.whole),
    "trailers": lambda it: (_chunked(it.body, b"X-Check: 1\r\nContent-Length: 5\r\n"),),
    "LF only": lambda it: (it.whole.replace(b"\r\n", b"\n"),),
    "folded": lambda it: (_answer(it.body, b"X-Long: a\r\n  b\r\n"),),
    "equal lengths": lambda it: (_answer(it.body, b"Content-Length: %d\r\n" % len(it.body)),),
    "more than the length": lambda it: (it.whole + b"and more", CLOSE),
    "closed while idle": lambda it: (it.whole, 0.001, CLOSE),
    "dribbled": lambda it: tuple(
        step for start in range(0, len(it.whole), 500) for step in (it.whole[start : start + 500], 0.001)
    ),
    "missing": lambda it: (_answer(b"nothing here", status=b"404 Not Found"),),
    "moved": lambda it: (_answer(b"", b"Location: /moved/%d\r\n" % it.number, status=b"302 Found"),),
    "no answer": lambda it: (CLOSE,),
    "reset": lambda it: (RESET,),
    "half a head": lambda it: (it.whole[:30], CLOSE),
    "half a body": lambda it: (it.whole[: len(it.whole) // 2], CLOSE),
    "reset in the body": lambda it: (it.whole[: len(it.whole) // 2], 0.001, RESET),
    "bad chunk": lambda it: (_chunked(it.body).replace(b"\r\n0\r\n", b"\r\nxyz\r\n"), CLOSE),
    "not HTTP": lambda it: (b"SSH-2.0-OpenSSH_9.9\r\n", CLOSE),
    "NUL": lambda it: (_answer(it.body, b"X-A: a\0b\r\n"),),
    "unequal lengths": lambda it: (_answer(it.body, b"Content-Length: 7\r\n"),),
    "switched": lambda it: (_SWITCHED, HANG),
    "endless head": lambda it: (_ENDLESS_HEAD, HANG),
    "too long": lambda it: (_TOO_LONG, HANG),
    "bomb": lambda it: (_answer(_BOMB, b"Content-Encoding: gzip\r\n"),),
    "not gzip": lambda it: (_answer(it.body, b"Content-Encoding: gzip\r\n"),),
    "silent": lambda it: (HANG,),
    "endless dribble": lambda it: (b"HTTP/1.1 200 OK\r\n\r\n", *((b"x", 0.05) * 1000)),
}


def behave(kind: str, number: int, first_time: bool) -> Iterator[Step]:
    """Return what to do: bytes to write, seconds to wait, CLOSE, RESET or HANG."""
    body = page(number)
    whole = _answer(body)
    if kind in _AT_FIRST:
        return iter((_AT_FIRST[kind] if first_time else whole,))
    return iter(_BEHAVIOUR[kind](_Page(number, body, whole)))


class _Connection(asyncio.Protocol):
    """One client; ``tried`` holds the pages whose first try is not the last."""

    def __init__(self, tried: set[int]) -> None:
        self._tried = tried
        self._held = b""
        self._steps: Iterator[Step] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._held += data
        if self._steps is None and self._held.endswith(b"\r\n\r\n"):
            path = self._held.split(b" ", 2)[1].decode()
            self._held = b""
            self._steps = self._script(path)
            self._go_on()

    def _script(self, path: str) -> Iterator[Step]:
        place, *numbers = re.findall(r"[a-z.]+|\d+", path)
        if place == "page":
            number = int(numbers[0])
            kind = kind_of(number)
            if not kind.endswith("at first"):
                return behave(kind, number, False)
            first_time = number not in self._tried
            (self._tried.add if first_time else self._tried.discard)(number)
            return behave(kind, number, first_time)
        if place == "list":
            return iter([_answer(_list(int(numbers[0]), int(numbers[1])))])
        if place == "moved":
            return iter([_answer(page(int(numbers[0])))])
        return iter([_answer(b"User-agent: *\nDisallow: /secret\n")])

    def _go_on(self) -> None:
        transport = self._transport
        while transport is not None and self._steps is not None:
            step = next(self._steps, None)
            if isinstance(step, bytes):
                transport.write(step)
            elif isinstance(step, float):
                asyncio.get_running_loop().call_later(step, self._go_on)
                return
            else:
                self._steps = None
                self._end(transport, step)
            transport = self._transport

    def _end(self, transport: asyncio.Transport, step: str | None) -> None:
        if step == RESET:
            linger = struct.pack("ii", 1, 0)
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            transport.abort()
        elif step == CLOSE:
            transport.close()
        elif step == HANG:
            self._steps = iter(())


async def serve() -> None:
    """Serve on one port of all HOSTS, print it, and end with the standard input."""
    loop = asyncio.get_running_loop()
    tried: set[int] = set()
    first = await loop.create_server(lambda: _Connection(tried), HOSTS[0], 0, backlog=1000)
    port = first.sockets[0].getsockname()[1]
    others = [await loop.create_server(lambda: _Connection(tried), host, port, backlog=1000) for host in HOSTS[1:]]
    print(port, flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    for server in (first, *others):
        server.close()


if __name__ == "__main__":
    asyncio.run(serve())
