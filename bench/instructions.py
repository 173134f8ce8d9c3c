"""How many machine instructions does a page of the shop take, in one checkout beside another?

    python -m bench.instructions                          # this checkout, job in memory
    python -m bench.instructions --against ../before      # and the one in that folder, in turn
    python -m bench.instructions --variant durable --pages 500 --rounds 3

callgrind counts them, so that a busy machine changes nothing but the number of turns of the reactor. What
a crawl takes to begin (imports, settings) is measured by a crawl of 20 pages and taken off. The medians of
the rounds are printed; nothing is asserted. Wants valgrind and nginx.
"""

from __future__ import annotations

import argparse
import compileall
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.make_shop import make_shop
from bench.nginx import Nginx

ROOT = Path(__file__).parents[1]
FEW_PAGES = 20


def count(checkout: Path, url: str, folder: Path, variant: str) -> int:
    """Return the instructions of one whole process that crawls the shop at ``url``. Raises SystemExit if it fails."""
    out = folder / "items.jsonl"
    out.unlink(missing_ok=True)
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder / 'callgrind.out'}"]
    command += [sys.executable, "-m", "bench.peers.ours", "--url", url, "--out", str(out), "--variant", variant]
    ended = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(checkout), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    counted = re.search(r"Collected : (\d+)", ended.stderr)
    if ended.returncode or counted is None:
        raise SystemExit(f"the crawl under callgrind failed:\n{ended.stdout[-2000:]}{ended.stderr[-4000:]}")
    return int(counted[1])


def per_page(checkout: Path, *, pages: int, variant: str, folder: Path) -> float:
    """Return the instructions a page takes beyond what the beginning of a crawl takes."""
    compileall.compile_dir(checkout / "crawler", quiet=1)  # else each crawl compiles, and that is counted
    counts = []
    for number in (FEW_PAGES, FEW_PAGES + pages):
        shop = folder / f"shop{number}"
        if not shop.exists():
            make_shop(shop, number, "small")
        with Nginx(shop) as server:
            counts.append(count(checkout, server.url, folder, variant))
    return (counts[1] - counts[0]) / pages


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=500, help="item pages; a multiple of 20")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--variant", choices=["memory", "durable"], default="memory", help="where the job is kept")
    parser.add_argument("--against", type=Path, help="another checkout, measured in turn")
    wanted = parser.parse_args()
    if wanted.against is not None and not (wanted.against / "crawler").is_dir():
        parser.error(f"{wanted.against} is no checkout: it has no folder crawler/")
    checkouts = [ROOT] if wanted.against is None else [ROOT, wanted.against.resolve()]
    counts: dict[Path, list[float]] = {checkout: [] for checkout in checkouts}
    with tempfile.TemporaryDirectory() as temporary:
        for _round in range(wanted.rounds):
            for checkout in checkouts:
                counts[checkout].append(
                    per_page(checkout, pages=wanted.pages, variant=wanted.variant, folder=Path(temporary))
                )
    medians = [statistics.median(counts[checkout]) for checkout in checkouts]
    for name, median in zip(("this checkout", "the other"), medians, strict=False):
        print(f"{name}: {median:,.0f} instructions a page ({wanted.pages} pages, job {wanted.variant})")
    if len(medians) == 2:
        print(f"ratio: {medians[0] / medians[1]:.4f}")


if __name__ == "__main__":
    main()
