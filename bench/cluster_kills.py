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
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.cluster.kills.chaos import LEASE_SECONDS, SiteProcess
from tests.cluster.kills.recovery import summary
from tests.cluster.kills.sitelog import by_host, refetched
from tests.cluster.kills.storm import Storm


def run(wanted: argparse.Namespace, seed: int) -> bool:
    """Crawl one world and print what came of it; tell whether all was well."""
    with ExitStack() as stack:
        folder = Path(wanted.keep or stack.enter_context(tempfile.TemporaryDirectory()), f"seed-{seed}")
        folder.mkdir(parents=True)
        site = stack.enter_context(SiteProcess(folder, pages=wanted.pages, seed=seed))
        storm = Storm(site, folder, seed=seed, kind=wanted.kind)
        try:
            storm.run(kills=wanted.kills, patience=wanted.patience)
        except AssertionError as error:
            print(f"seed {seed}: {error}")
            return False
        finally:
            deeds = sorted([*storm.deaths, *storm.hits])
            (folder / "deeds.jsonl").write_text("".join(f"{json.dumps(deed._asdict())}\n" for deed in deeds))
        return report(storm, seed)


def report(storm: Storm, seed: int) -> bool:
    """Print what was done and seen; tell whether all was well."""
    problems = storm.problems()
    again = len(refetched(storm.log, storm.site.world))
    hosts = ", ".join(f"{host} {len(asked)}" for host, asked in sorted(by_host(storm.log).items()))
    done = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(storm.done.items()))
    workers = len({one.pid for one in storm.log})
    print(f"seed {seed}: {storm.seconds:.0f} s; {done}; {workers} workers asked, calls cut: {storm.cut}")
    print(f"  {len(storm.log):,} requests ({hosts}), {again} of them again; {len(problems)} problems")
    for line in summary(storm.recoveries, lease=LEASE_SECONDS):
        print(f"  {line}")
    for problem in problems:
        print(f"  {problem}")
    sys.stdout.flush()
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
    parser.add_argument("--keep", metavar="FOLDER", help="where the logs, what was done and the outputs stay")
    wanted = parser.parse_args()
    good = True
    for seed in range(wanted.first_seed, wanted.first_seed + wanted.seeds):
        good &= run(wanted, seed)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
