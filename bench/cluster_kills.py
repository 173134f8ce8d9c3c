"""Has a crawl on many processes every item once, whatever dies? The long version of the suite's test.

    python -m bench.cluster_kills                                 # 3,000 pages, 120 deeds, seed 1
    python -m bench.cluster_kills --pages 800 --kills 30 --seeds 5
    python -m bench.cluster_kills --kind alone --kills 60         # one process: what the checks say of that
    python -m bench.cluster_kills --kind private                  # a server of the crawl's own, one machine

Each seed is a world of its own: six hosts (slow, failing, redirecting, one behind a login), a starter with four
workers, a second machine with one more. Each second something dies: mostly a worker, now and then the starter,
the second machine, the server; some are stopped beyond their lease, and of all calls to the server a share is
cut before or after it has executed them. Printed is what was done, and what the site's log and the
outputs say of it. The exit status is 1 if an item is missing or doubled, a host was asked too soon or too often
at once, a page was fetched again that was not in flight, or what a dead worker had was not asked again within two
leases (while the server and any worker lived, and beyond what the host itself has to be left alone).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.cluster.kills.chaos import LEASE_SECONDS, SiteProcess
from tests.cluster.kills.recovery import summary
from tests.cluster.kills.sitelog import by_host, refetched
from tests.cluster.kills.storm import Storm


def run(seed: int, *, pages: int, kills: int, kind: str, patience: float) -> bool:
    """Crawl one world and print what came of it; tell whether all was well."""
    with tempfile.TemporaryDirectory() as temporary, SiteProcess(Path(temporary), pages=pages, seed=seed) as site:
        storm = Storm(site, Path(temporary), seed=seed, kind=kind)
        try:
            storm.run(kills=kills, patience=patience)
        except AssertionError as error:
            print(f"seed {seed}: {error}")
            return False
        problems = storm.problems()
        again = len(refetched(storm.log, site.world))
        hosts = ", ".join(f"{host} {len(asked)}" for host, asked in sorted(by_host(storm.log).items()))
        done = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(storm.done.items()))
        workers = len({one.pid for one in storm.log})
        print(f"seed {seed}: {storm.seconds:.0f} s; {done}; {workers} workers asked, calls cut: {storm.cut}")
        print(f"  {len(storm.log):,} requests ({hosts}), {again} of them again; {len(problems)} problems")
        for line in summary(storm.recoveries, lease=LEASE_SECONDS):
            print(f"  {line}")
        for problem in problems:
            print(f"  {problem}")
        return not problems


def main() -> None:
    """Run all seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=3000)
    parser.add_argument("--kills", type=int, default=120, help="deeds of each seed, one a second")
    parser.add_argument("--seeds", type=int, default=1, help="how many worlds, beginning with --first-seed")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--patience", type=float, default=300.0, help="seconds for the rest, when the storm is over")
    parser.add_argument("--kind", choices=["server", "private", "alone"], default="server")
    wanted = parser.parse_args()
    good = True
    for seed in range(wanted.first_seed, wanted.first_seed + wanted.seeds):
        good &= run(seed, pages=wanted.pages, kills=wanted.kills, kind=wanted.kind, patience=wanted.patience)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
