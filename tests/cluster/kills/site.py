"""The site of the kill tests, as a process of its own that logs every request.

    python -m tests.cluster.kills.site PAGES SEED LOG     # prints its port, serves until its input ends

Each line of the log is JSON: a request when it has come, and again when its answer is about to be written
("answered") or its connection has gone before that ("cut"). Times are those of CLOCK_MONOTONIC, which all
processes of a machine share. The answer's time is taken before its bytes are written, so an exchange is
never shorter in the log than the crawler sees it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TextIO

from tests.cluster.kills.sitelog import Exchange, read_log
from tests.cluster.kills.world import ANSWER_SECONDS, HOSTS, MEMBERS, MEMBERS_SECONDS, RETRY_AFTER_SECONDS, World

_ROBOTS = "User-agent: *\nDisallow: /private/\n"
_MEMBERS_ROBOTS = f"{_ROBOTS}Crawl-delay: {MEMBERS_SECONDS}\n"


class Answers(Protocol):
    """What a site answers. ``seconds``: how long each host takes."""

    hosts: Sequence[str]
    seconds: Mapping[str, float]

    def answer(self, host: str, path: str, head: str, port: int) -> tuple[int, str, str]:
        """Return status, body and further header lines."""


class Site:
    """All hosts, on one port."""

    def __init__(self, answers: Answers, log: TextIO) -> None:
        self._answers = answers
        self._log = log
        self._asked = 0
        self._connections = 0
        self.port = 0

    async def serve(self, ready: Callable[[int], None], ended: Callable[[], object]) -> None:
        """Listen, tell the port and serve until ``ended``, called in a thread, has returned."""
        async with contextlib.AsyncExitStack() as stack:
            for host in self._answers.hosts:
                server = await asyncio.start_server(self._connection, host, self.port, backlog=512)
                self.port = server.sockets[0].getsockname()[1]
                stack.callback(server.close)
            ready(self.port)
            await asyncio.get_running_loop().run_in_executor(None, ended)
        connections = asyncio.all_tasks() - {asyncio.current_task()}
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    def _note(self, what: str, number: int, **more: Any) -> None:
        self._log.write(json.dumps({"what": what, "number": number, "at": time.monotonic(), **more}) + "\n")

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        connection = self._connections
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                if length := re.search(r"(?i)\r\ncontent-length: *(\d+)", head):
                    await reader.readexactly(int(length[1]))
                self._asked += 1
                number = self._asked
                host, path = writer.get_extra_info("sockname")[0], head.split(" ", 2)[1]
                worker = re.search(r"(?i)\r\nx-worker: *(\d+)", head)
                sent = re.search(r"(?i)\r\nx-sent: *([\d.]+)", head)
                who = {"pid": int(worker[1]) if worker else 0, "sent": float(sent[1]) if sent else time.monotonic()}
                self._note("asked", number, host=host, path=path, connection=connection, **who)
                if await _has_gone(reader, self._answers.seconds.get(host, 0.0)):
                    self._note("cut", number)
                    break
                status, body, more = self._answers.answer(host, path, head, self.port)
                self._note("answered", number, status=status)
                writer.write(_octets(status, body, more))
                await writer.drain()
        writer.transport.abort()


class OfWorld(Answers):
    """The pages of a world."""

    hosts = HOSTS
    seconds = ANSWER_SECONDS

    def __init__(self, world: World) -> None:
        self._world = world
        self._failed: set[int] = set()
        self._logins = 0
        self._port = 0

    def answer(self, host: str, path: str, head: str, port: int) -> tuple[int, str, str]:
        self._port = port
        kind, _, rest = path.strip("/").partition("/")
        if path == "/robots.txt":
            return 200, _MEMBERS_ROBOTS if host == MEMBERS else _ROBOTS, ""
        if path == "/login" and host == MEMBERS:
            links = self._links(self._world.members[:1])
            self._logins += 1
            return (
                200,
                f"<html><title>Welcome</title>{links}</html>",
                f"Set-Cookie: session=s{self._logins}; Path=/\r\n",
            )
        if host == MEMBERS and "session=s" not in head:
            return 403, "who are you?", ""
        if kind == "r":
            page = self._world.pages[int(rest)]
            return 302, "", f"Location: http://{page.host}:{self._port}{page.path}\r\n"
        if kind in ("d", "c"):
            return 200, f"<html><title>Part of {rest}</title></html>", ""
        if kind != "p" or self._world.pages[int(rest)].host != host:
            return 404, "", ""
        return self._page(int(rest))

    def _page(self, number: int) -> tuple[int, str, str]:
        if self._world.fails_first(number) and number not in self._failed:
            self._failed.add(number)
            wait = f"Retry-After: {RETRY_AFTER_SECONDS}\r\n" if self._world.retry_after(number) else ""
            return 503, "not yet", wait
        page = self._world.pages[number]
        links = self._links(page.links)
        for kind, href in (("inline", page.inline), ("carried", page.carried)):
            if href:
                host, _, path = href.partition("/")
                links += f'<a class="{kind}" href="http://{host}:{self._port}/{path}">part</a>'
        links += f'<a class="next" href="/private/{number}">no</a>' if number % 10 == 0 else ""
        return 200, f"<html><title>Page {number}</title><body>{links}</body></html>", ""

    def _links(self, numbers: list[int]) -> str:
        hrefs = [self._world.href(number).partition("/") for number in numbers]
        return "".join(f'<a class="next" href="http://{host}:{self._port}/{path}">on</a>' for host, _, path in hrefs)


async def _has_gone(reader: asyncio.StreamReader, seconds: float) -> bool:
    """Wait; tell whether the other side closed meanwhile."""
    if not seconds:
        return False
    more = asyncio.ensure_future(reader.read(1))
    done, _ = await asyncio.wait({more}, timeout=seconds)
    if not done:
        more.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await more
        return False
    assert more.exception() is not None or not more.result(), "a request before the answer to the last"
    return True


def _octets(status: int, body: str, more: str) -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body.encode()


class ServedSite:
    """A small site served from a thread of this process; ``log`` is what it has seen."""

    def __init__(self, path: Path, port: int) -> None:
        self._path = path
        self.port = port

    @property
    def log(self) -> list[Exchange]:
        """What it has seen so far."""
        return read_log(self._path)


@contextlib.contextmanager
def serving(answers: Answers, folder: Path) -> Iterator[ServedSite]:
    """Serve a small site, with its log in the folder."""
    path, ready, ended, ports = folder / "small.log", threading.Event(), threading.Event(), list[int]()

    def tell(port: int) -> None:
        ports.append(port)
        ready.set()

    with path.open("a", buffering=1) as log:
        site = Site(answers, log)
        thread = threading.Thread(target=lambda: asyncio.run(site.serve(tell, ended.wait)), name="site", daemon=True)
        thread.start()
        try:
            assert ready.wait(10)
            yield ServedSite(path, ports[0])
        finally:
            ended.set()
            thread.join(10)


def main() -> None:
    """Serve; the site goes before others on a busy machine, so that its log has no delays of its own."""
    with contextlib.suppress(OSError):
        os.nice(-10)
    pages, seed, log = sys.argv[1:]
    with Path(log).open("a", buffering=1) as file:
        site = Site(OfWorld(World(int(pages), int(seed))), file)
        asyncio.run(site.serve(lambda port: print(port, flush=True), sys.stdin.read))


if __name__ == "__main__":
    main()
