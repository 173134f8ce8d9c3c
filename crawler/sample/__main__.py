"""How is the sample served from a shell?

``python -m crawler.sample [--port N]`` prints the URL on its first line and serves until it is stopped.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from crawler.sample.server import sample_site


def serve(reactor: Any, port: int) -> Deferred[None]:
    """Listen on loopback, say where, and never end by ourselves. Port 0 takes a free one."""
    listening = reactor.listenTCP(port, sample_site(), interface="127.0.0.1")
    print(f"http://127.0.0.1:{listening.getHost().port}/", flush=True)
    return Deferred()


def main(arguments: list[str]) -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m crawler.sample", description="Serve the sample pages.")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free port")
    react(serve, [parser.parse_args(arguments).port])


if __name__ == "__main__":
    main(sys.argv[1:])
