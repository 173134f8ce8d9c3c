"""Asks some pages of a few hosts; some pages do what pages must not do to a worker."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crawler import Request, Response, Spider


class Faults(Spider):
    """``pages`` pages of each of ``hosts``, once the file ``gate`` is there; what numbers name happens on that page."""

    name = "faults"
    port: int = 0
    hosts: str = "127.0.0.2,127.0.0.3"
    pages: int = 10
    gate: str = ""
    busy: int = -1
    seconds: float = 0.0
    lethal: int = -1
    inline: bool = False

    async def start(self) -> AsyncIterator[Request]:
        """Ask all of one host, then all of the next."""
        while self.gate and not Path(self.gate).exists():  # noqa: ASYNC110, ASYNC240 – another process makes it
            await asyncio.sleep(0.05)
        for host in self.hosts.split(","):
            for number in range(self.pages):
                yield Request(f"http://{host}:{self.port}/p/{number}")

    async def parse(self, response: Response) -> AsyncIterator[Any]:
        """Take the page."""
        number = int(response.url.rpartition("/")[2])
        if number == self.busy:
            time.sleep(self.seconds)  # noqa: ASYNC251 – that is the fault
        if number == self.lethal:
            os.kill(os.getpid(), signal.SIGKILL)
        yield self.item(response)
        if self.inline:
            hosts = self.hosts.split(",")
            other = hosts[(hosts.index(str(urlsplit(response.url).hostname)) + 1) % len(hosts)]
            yield self.item(await self.fetch(f"http://{other}:{self.port}/d/{number}"))
        for request in response.follow_all(css="a"):
            yield request

    def item(self, response: Response) -> dict[str, Any]:
        """Name it by host and path."""
        url = urlsplit(response.url)
        return {"path": f"{url.hostname}{url.path}", "title": response.css("title::text").get()}
