"""Try many worlds: ``python -m tests.cluster.model --worlds 2000 [--first 0] [--fault NAME]``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.private import PrivateServer
from tests.cluster.model.faults import FAULTS
from tests.cluster.model.library import loaded
from tests.cluster.model.rules import Broken
from tests.cluster.model.worker import Worker
from tests.cluster.model.world import World


def main() -> int:
    """Print each world that is broken, and what it came to altogether."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.model")
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--fault", choices=FAULTS, help="put a fault into the library, and stop where it is found")
    options = parser.parse_args()
    steps = calls = rolls = broken = worlds = 0
    with tempfile.TemporaryDirectory() as folder, PrivateServer(Path(folder) / "job.cluster") as server:
        connection = Connection(server.address)
        connection.open()
        library = loaded(connection, FAULTS[options.fault] if options.fault else None)
        began = time.monotonic()
        for seed in range(options.first, options.first + options.worlds):
            world = World(library, seed, Worker)
            try:
                world.run()
            except Broken as error:
                broken += 1
                print(f"seed {seed}, step {world.steps}: {error}", flush=True)
            worlds, steps, calls, rolls = worlds + 1, steps + world.steps, calls + world.calls, rolls + world.rolls
            if broken and options.fault:
                break
        seconds = time.monotonic() - began
        connection.close()
    print(f"{worlds} worlds, {steps} steps, {calls} calls, {rolls} returns to an older state", end=": ")
    print(f"{broken} broken, {seconds:.1f} s")
    return broken > 0


if __name__ == "__main__":
    sys.exit(main())
