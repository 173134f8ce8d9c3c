"""How much faster is a crawl whose pages are in the HTTP cache?

    python -m bench.cache [--pages 5000] [--kind small] [--rounds 3]

Crawls the shop three ways, round by round: without a cache; with an empty one, which it fills; and again
from that, when the server must not be asked for any page. nginx says that pages are fresh for an hour.
Items are compared with what the shop holds. Figures are medians; "CPU" is user and system time a page.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench.make_shop import KINDS, make_shop
from bench.nginx import Nginx
from bench.shop import Peer, WrongResult, check, figures, run_peer

WAYS = {
    "plain": Peer("without a cache", "ours", "memory"),
    "first": Peer("filling the cache", "ours", "cache"),
    "second": Peer("from the cache", "ours", "cache"),
}


def crawl_once(way: str, server: Nginx, folder: Path, pages: int) -> dict[str, Any]:
    """Crawl the shop once; raises WrongResult if an item is wrong or the cache let a request through."""
    if way == "first":
        for file in folder.glob("cache.sqlite*"):
            file.unlink()
    before = _pages_asked(server)
    result = run_peer(WAYS[way], server.url, folder, python=sys.executable, paths=None)
    check(WAYS[way], result, pages=pages, fetch_only=False)
    del result["items"]
    asked = _pages_asked(server) - before
    if way == "second" and asked:
        raise WrongResult(f"{asked.total()} requests reached the server, {next(iter(asked))} the first of them")
    return result


def _pages_asked(server: Nginx) -> Counter[str]:
    time.sleep(0.3)  # nginx writes its log every 0.1 s
    return server.requests()


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=5000, help="item pages; a multiple of 20")
    parser.add_argument("--kind", choices=sorted(KINDS), default="small")
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    results: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_shop(folder / "shop", wanted.pages, wanted.kind)
        with Nginx(folder / "shop", log=True, extra="expires 1h;") as server:
            for _round in range(wanted.rounds):
                for way in WAYS:
                    results[way].append(crawl_once(way, server, folder, wanted.pages))
    rows = {way: figures(runs) for way, runs in results.items()}
    print(
        f"{wanted.pages} {wanted.kind} pages, {wanted.rounds} rounds; no page was asked for in the runs from the cache"
    )
    print("\n| | pages/s | CPU µs/page | times as fast |\n|---|---:|---:|---:|")
    for way, row in rows.items():
        ratio = row["pages_per_second"] / rows["plain"]["pages_per_second"]
        print(f"| {WAYS[way].title} | {row['pages_per_second']:,.0f} | {row['cpu_us_per_page']:,.0f} | {ratio:.2f} |")


if __name__ == "__main__":
    try:
        main()
    except WrongResult as error:
        sys.exit(f"No figures: {error}")
