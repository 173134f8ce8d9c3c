"""How many items a second does each kind of feed take, beside JSON Lines?

    python -m bench.sinks                                     # 50,000 items into files, SQLite and Parquet
    python -m bench.sinks postgresql://USER@HOST/DATABASE     # and into tables of that database

Feeds alone, as a crawl with a job writes them: groups of 500, each committed with its mark. The tables are called
``bench_sinks`` and ``bench_sinks_keyed``, and are emptied first. The processor time is this process's own: what a
server does is in the wall time alone.
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crawler.config.schema import CoreSettings
from crawler.feeds import make_feeds

ITEMS = 50_000
GROUP = 500


def item(number: int) -> dict[str, Any]:
    """Return an item of some 500 bytes."""
    return {
        "url": f"http://shop.example/catalogue/item_{number}/index.html",
        "title": f"Item {number} of a shop",
        "price": number / 100,
        "stock": number % 50,
        "tags": ["new", "cheap"],
        "seen": datetime(2026, 1, 1, tzinfo=UTC),
        "text": "lorem ipsum " * 25,
    }


def measure(name: str, items: list[dict[str, Any]]) -> tuple[float, float]:
    """Return items a second, and processor µs an item."""
    feeds = {name: {"overwrite": True}}
    (feed,) = make_feeds(feeds, CoreSettings(), spider_name="bench", started=datetime.now(UTC))
    feed.check()
    wall, processor = time.perf_counter(), time.process_time()
    feed.open(None, durable=True)
    feed.committed(feed.write((), 0))
    for number in range(0, len(items), GROUP):
        feed.committed(feed.write(items[number : number + GROUP], number + GROUP))
    feed.close(finished=True)
    return len(items) / (time.perf_counter() - wall), (time.process_time() - processor) / len(items) * 1e6


def main() -> None:
    """Print a line for each."""
    items = [item(number) for number in range(ITEMS)]
    servers = [f"{uri}?table=bench_sinks" for uri in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        database = f"sqlite:///{folder / 'x.db'}?table=bench_sinks"
        files = [str(folder / f"x.{form}") for form in ("jsonl", "jsonl.zst", "csv", "parquet")]
        tables = [each for name in (database, *servers) for each in (name, f"{name}_keyed&key=url")]
        for name in (*files, *tables):
            shown = Path(name).name if name in files else name.partition("://")[0] + " …?" + name.partition("?")[2]
            rate, cost = measure(name, items)
            print(f"{shown:<50} {rate:9,.0f} items/s {cost:7.1f} µs of processor an item")


if __name__ == "__main__":
    main()
