"""Does a crawl that is killed at random moments have every item once? The long version of the suite's test.

    python -m bench.kill                                  # 2,000 pages, 24 kills, seeds 1 to 3
    python -m bench.kill --pages 5000 --kills 200 --seeds 10 --minutes 30

Each seed is a web of its own (some pages slow, some failing at first, some behind redirects) and one job that
is killed with SIGKILL, resumed and killed again, in six output formats at once. It stops beginning new seeds
after ``--minutes``. The exit status is 1 if an item is missing or doubled, or a page was fetched again that
was not in flight.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests.jobs.running import OUTPUTS, read_paths
from tests.jobs.test_kill import UNCOMMITTED_SECONDS, crawl_until_done, refetched
from tests.jobs.web import Web


class Row(NamedTuple):
    """What one seed came to; ``wrong`` refetches were of pages whose results had long been committed."""

    seed: int
    seconds: float
    kills: int
    asked: int
    refetched: int
    wrong: int
    missing: dict[str, int]
    doubled: dict[str, int]

    @property
    def good(self) -> bool:
        """Whether nothing is missing, doubled or fetched again without need."""
        return not (self.wrong or any(self.missing.values()) or any(self.doubled.values()))


def run(seed: int, *, pages: int, kills: int) -> Row:
    """Crawl one web with kills and count what came out."""
    with tempfile.TemporaryDirectory() as temporary, Web(pages=pages, seed=seed) as web:
        folder = Path(temporary)
        began = time.monotonic()
        killed = crawl_until_done(web, folder, kills=kills, seed=seed)
        seconds = time.monotonic() - began
        failing = {path for path in web.paths if int(path.rpartition("/")[2]) % 9 == 4}  # fetched again by rule
        again = [pair for pair in refetched(web.log) if pair[0] not in failing]
        wrong = [
            path
            for path, before, _ in again
            if not any(
                before.ended is not None and 0 <= kill - before.ended + 0.1 < UNCOMMITTED_SECONDS for kill in killed
            )
        ]
        counts = {name: Counter(read_paths(folder / name)) for name in OUTPUTS}
        return Row(
            seed=seed,
            seconds=seconds,
            kills=len(killed),
            asked=len(web.log),
            refetched=len(again),
            wrong=len(wrong),
            missing={name: len(web.paths - set(found)) for name, found in counts.items()},
            doubled={name: sum(found.values()) - len(found) for name, found in counts.items()},
        )


def table(rows: list[Row]) -> str:
    """Return the rows as Markdown; missing/doubled for each format."""
    lines = [f"| seed | seconds | kills | requests | refetched | of these wrong | {' | '.join(OUTPUTS)} |"]
    lines.append("|" + "---:|" * (6 + len(OUTPUTS)))
    for row in rows:
        formats = " | ".join(f"{row.missing[name]}/{row.doubled[name]}" for name in OUTPUTS)
        lines.append(
            f"| {row.seed} | {row.seconds:.0f} | {row.kills} | {row.asked:,} "
            f"| {row.refetched} | {row.wrong} | {formats} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run all seeds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=24, help="for each seed")
    parser.add_argument("--seeds", type=int, default=3, help="how many webs, beginning with --first-seed")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60.0)
    wanted = parser.parse_args()
    until = time.monotonic() + 60 * wanted.minutes
    rows: list[Row] = []
    for seed in range(wanted.first_seed, wanted.first_seed + wanted.seeds):
        if time.monotonic() > until:
            break
        rows.append(run(seed, pages=wanted.pages, kills=wanted.kills))
        print(f"  seed {seed}: {rows[-1].kills} kills, {'good' if rows[-1].good else 'WRONG'}", file=sys.stderr)
    print(f"{wanted.pages} pages; items missing/doubled in each format\n\n{table(rows)}")
    sys.exit(0 if rows and all(row.good for row in rows) else 1)


if __name__ == "__main__":
    main()
