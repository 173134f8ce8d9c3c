"""What do many workers come to, beside one?

    python -m bench.cluster spread          # 64 hosts that answer after 50 ms: 8 workers beside one
    python -m bench.cluster one-host        # one host without a delay: 4 workers beside one
    python -m bench.cluster shop            # one worker on a local server beside SQLite
    python -m bench.cluster kills           # two kills, beside scrapy-redis (bench/.venv has it)
    python -m bench.cluster hosts           # 20,000 hosts of 3 pages, a delay of 5 s: every gap, memory
    python -m bench.cluster pace            # 500 hosts of 30 pages, a delay of 1 s: the time that it sets
    python -m bench.cluster same            # one process, four workers, a server: the same items
    python -m bench.cluster all

Before a figure is printed, the items are compared with what the site is known to have. Each run has a fresh server.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator

from bench.cluster import same, shapes, shop
from bench.cluster.runs import ROOT, WrongResult


def commands(wanted: argparse.Namespace) -> dict[str, Callable[[], Iterator[str]]]:
    """Return what each word of the command line does."""
    scale = wanted.scale
    return {
        "spread": lambda: shapes.compare(shapes.SPREAD, wanted.rounds),
        "one-host": lambda: shapes.compare(shapes.ONE_HOST, wanted.rounds),
        "shop": lambda: shop.beside_sqlite(int(5_000 * scale) // 20 * 20, wanted.rounds),
        "kills": lambda: shop.beside_scrapy_redis(int(6_400 * scale), wanted.peer_python),
        "hosts": lambda: shapes.peace(hosts=int(20_000 * scale), pages=3, delay=5.0, workers=4, at_most=None),
        "pace": lambda: shapes.peace(hosts=int(500 * scale), pages=30, delay=1.0, workers=4, at_most=1.15),
        "same": same.compare_all,
    }


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", help="one of the above")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of hosts or pages, for a quick look")
    parser.add_argument("--peer-python", default=str(ROOT / "bench/.venv/bin/python"))
    wanted = parser.parse_args()
    known = commands(wanted)
    if wanted.what != "all" and wanted.what not in known:
        parser.error(f"what is one of {', '.join(known)} and all")
    failed = []
    for name in known if wanted.what == "all" else [wanted.what]:
        print(f"\n## {name} (load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors)\n", flush=True)
        try:
            for line in known[name]():
                print(line, flush=True)
        except WrongResult as error:
            failed.append(name)
            print(f"WRONG: {error}", flush=True)
    sys.exit(f"wrong: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
