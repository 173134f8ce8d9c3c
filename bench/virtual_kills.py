"""Does a random crawl that is killed again and again in virtual time feed every item once? The suite's test, longer.

    python -m bench.virtual_kills              # 3,000 kills or more, over seeds that begin at the time of day
    python -m bench.virtual_kills --kills 500 --seed 91000

Each seed is a web, settings and moments of its own. It prints how many kills and seeds there were; the exit status
is 1 if an item was missing or doubled, or the books did not balance, and the seed is named.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

from tests.engine.test_random_kills import survive


def main() -> None:
    """Kill until there were enough."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the first seed")
    wanted = parser.parse_args()
    warnings.simplefilter("ignore", DeprecationWarning)  # of forking
    kills, seed, failed = 0, wanted.seed, []
    while kills < wanted.kills:
        with tempfile.TemporaryDirectory() as folder:
            try:
                kills += survive(seed, Path(folder))
            except AssertionError:
                traceback.print_exc()
                failed.append(seed)
        seed += 1
    print(f"{kills} kills over the seeds {wanted.seed} to {seed - 1}; failed: {failed or 'none'}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
