"""Serve the status page of a made-up crawl: ``python -m tests.status.serve``. It prints where, until Ctrl-C."""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import LoopingCall

from crawler.errors import UsageError
from crawler.status.routes import crawl_routes
from crawler.status.server import Place, StatusServer
from crawler.status.streams import Streams
from tests.observe.board.made_up import MadeUp


async def do(words: str) -> list[str]:
    """Do nothing, and say so; "no" is refused."""
    if words == "no":
        raise UsageError("no is not done here")
    return [f"did {words}"]


def main(hosts: str = "300", read_only: str = "") -> None:
    """Serve until the reactor stops; with ``--read-only`` nothing can be done."""
    control = not read_only
    source = MadeUp(int(hosts))
    server = StatusServer(reactor, Place())
    streams = Streams(source, server.complaints, reactor, control=control)
    server.open(crawl_routes(source, streams, do=do if control else None))
    print(server.entry()["url"], flush=True)
    LoopingCall(source.tick).start(1)
    run: Any = reactor
    run.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
