"""A web of pages served from a thread on loopback: some slow, some failing at first, some redirecting."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Asked:
    """One request that reached the server: ``ended`` is None while it is not answered. Monotonic seconds."""

    path: str
    began: float
    ended: float | None = None


@dataclass
class Web:
    """``pages`` pages, each reachable from ``/p/0``; use it as a context manager.

    Every seventh page is slow, every ninth fails at first, every eleventh is reached by a redirect.
    """

    pages: int = 2000
    seed: int = 1
    slow: float = 0.05
    log: list[Asked] = field(default_factory=list)
    base: str = ""

    def __post_init__(self) -> None:
        rng = random.Random(self.seed)
        self._links: dict[int, list[int]] = {number: [] for number in range(self.pages)}
        for number in range(1, self.pages):
            self._links[rng.randrange(max(0, number - 200), number)].append(number)  # a tree, so all are reachable
        for number in range(self.pages):
            self._links[number] += [rng.randrange(self.pages) for _ in range(3)]
        self._failed: set[str] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="web", daemon=True)
        self._ready = threading.Event()
        self._stop = asyncio.Event()

    @property
    def paths(self) -> set[str]:
        """The path of every page, as its item names it."""
        return {f"/p/{number}" for number in range(self.pages)}

    def __enter__(self) -> Web:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._listen())

    async def _listen(self) -> None:
        async with await asyncio.start_server(self._connection, "127.0.0.1", 0) as server:
            self.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            self._ready.set()
            await self._stop.wait()
            server.close()
            connections = asyncio.all_tasks() - {asyncio.current_task()}
            for connection in connections:
                connection.cancel()
            await asyncio.gather(*connections, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].decode()
                asked = Asked(path, time.monotonic())
                self.log.append(asked)
                writer.write(await self._answer(path))
                await writer.drain()
                asked.ended = time.monotonic()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the crawler was killed, or the test is over
        finally:
            writer.transport.abort()

    async def _answer(self, path: str) -> bytes:
        kind, _, rest = path.strip("/").partition("/")
        if kind not in ("p", "r"):
            return _response(404, b"")
        number = int(rest)
        if kind == "r":
            return _response(302, b"", f"Location: /p/{number}\r\n")
        if number % 7 == 3:
            await asyncio.sleep(self.slow)
        if number % 9 == 4 and path not in self._failed:
            self._failed.add(path)
            return _response(503, b"not yet")
        links = "".join(f'<a href="/{"r" if to % 11 == 5 else "p"}/{to}">{to}</a>' for to in self._links[number])
        return _response(200, f"<html><title>Page {number}</title><body>{links}</body></html>".encode())


def _response(status: int, body: bytes, more: str = "") -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body
