"""A site of many hosts that answers after a while and knows afterwards who asked for what, and when.

    python -m bench.cluster.site --hosts 64 --pages 100 --seconds 0.05 LOG     # prints its port

The front page of each host links to its pages, through lists if there are many. All hosts are addresses of
loopback on one port. It serves until its input ends, then writes the log: a line of JSON for each exchange.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import NamedTuple

PER_LIST = 100
_FILLING = f"<p>{'harbour lantern orchard ledger ' * 30}</p>"


def host_of(number: int) -> str:
    """Return the address of a host."""
    return f"127.{1 + number // 62500}.{1 + number // 250 % 250}.{1 + number % 250}"


def paths(pages: int) -> list[str]:
    """Return all paths of a host that has so many pages beside its front page and lists."""
    lists = [f"/l/{number}" for number in range(-(-pages // PER_LIST))] if pages > PER_LIST else []
    return ["/", *lists, *(f"/p/{number}" for number in range(pages))]


def body(path: str, pages: int) -> bytes:
    """Return a page."""
    _, kind, number = f"{path}/".split("/")[:3]
    links: list[str] = []
    if kind == "" and pages > PER_LIST:
        links = [f"/l/{at}" for at in range(-(-pages // PER_LIST))]
    elif kind in ("", "l"):
        first = int(number or 0) * PER_LIST
        links = [f"/p/{at}" for at in range(first, min(first + PER_LIST, pages))]
    anchors = "\n".join(f'<a href="{link}">{link}</a>' for link in links)
    return f"<html><title>{path}</title><h1>{path}</h1>{_FILLING}{anchors}</html>".encode()


class Exchange(NamedTuple):
    """One request: when its sender decided to send it, when it came, and when its answer was written; who asked is a
    process."""

    host: str
    path: str
    worker: int
    sent: float
    asked: float
    answered: float


class Site:
    """What all connections share."""

    def __init__(self, wanted: argparse.Namespace) -> None:
        self.seconds: float = wanted.seconds
        self.pages: int = wanted.pages
        self.close: bool = wanted.close
        self.log: list[Exchange] = []


class Connection(asyncio.Protocol):
    """One connection: one exchange at a time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note which host it is."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._host = transport.get_extra_info("sockname")[0]

    def data_received(self, data: bytes) -> None:
        """Answer a whole head later."""
        self._buffer += data
        if not self._buffer.endswith(b"\r\n\r\n"):
            return
        head, self._buffer = self._buffer.decode("latin-1"), b""
        asked = time.monotonic()
        lower = head.lower()
        worker, sent = (lower.partition(f"{name}: ")[2].partition("\r\n")[0] for name in ("x-worker", "x-sent"))
        path = head.split(" ", 2)[1]
        begun = (int(worker or 0), float(sent or asked), asked)
        asyncio.get_running_loop().call_later(self._site.seconds, self._answer, path, begun)

    def _answer(self, path: str, begun: tuple[int, float, float]) -> None:
        if self._transport.is_closing():
            return
        site = self._site
        status, page = ("404 No", b"") if path == "/robots.txt" else ("200 OK", body(path, site.pages))
        more = "Connection: close\r\n" if site.close else ""
        head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n{more}\r\n"
        site.log.append(Exchange(self._host, path, *begun, time.monotonic()))
        self._transport.write(head.encode() + page)
        if site.close:
            self._transport.close()


async def serve(site: Site) -> None:
    """Serve until the input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(site), "0.0.0.0", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    """Serve from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=1)
    parser.add_argument("--pages", type=int, default=100, help="of each host, beside its front page and lists")
    parser.add_argument("--seconds", type=float, default=0.05, help="that an answer takes")
    parser.add_argument("--close", action="store_true", help="end each connection after its answer")
    parser.add_argument("log")
    wanted = parser.parse_args()
    site = Site(wanted)
    asyncio.run(serve(site))
    Path(wanted.log).write_text("".join(json.dumps(exchange) + "\n" for exchange in site.log))


if __name__ == "__main__":
    main()
