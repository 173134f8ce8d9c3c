"""What does a callback cost that yields a million requests?

    python -m bench.million [--requests 1000000]
    python -m bench.million --against ../before        # and the checkout in that folder

Each crawl is a process of its own with a durable job; nothing is asked of a network. Printed: its peak memory
(the resident set, by the system's account), its processor time and how long it took. The processor time is
what compares on a busy machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
SPIDER = """
from crawler import Request, Spider


class Million(Spider):
    name = "million"
    start_urls = ["data:text/html,<p>a page with very many links</p>"]
    custom_settings = {"DOWNLOAD_DELAY": 3600, "ROBOTSTXT_OBEY": False, "CLOSESPIDER_PAGECOUNT": 1}
    count: int = 0

    def parse(self, response):
        for number in range(self.count):
            yield Request(f"http://shop{number % 7}.example/item/{number}", callback=self.item)

    def item(self, response):
        raise AssertionError("nothing is fetched")
"""


def run(checkout: Path, requests: int) -> str:
    """Crawl in a process of its own; return what it cost in words. Raises SystemExit if it failed."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "million.py").write_text(SPIDER)
        command = [sys.executable, "-m", "crawler", "run", "million.py", "-a", f"count={requests}", "--job", "million"]
        began = time.monotonic()
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, "PYTHONPATH": str(checkout)}, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        took = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or f"{requests:,}" not in said:
        raise SystemExit(f"the crawl failed:\n{said[-3000:]}")
    return f"peak {used.ru_maxrss // 1024} MB, {used.ru_utime + used.ru_stime:.1f} s of processor time, {took:.1f} s"


def main() -> None:
    """Crawl in this checkout, and in another one."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--requests", type=int, default=1_000_000)
    arguments.add_argument("--against", type=Path)
    given = arguments.parse_args()
    for checkout in (ROOT, *([given.against.resolve()] if given.against else [])):
        print(f"{checkout.name}: {given.requests:,} requests from one callback: {run(checkout, given.requests)}")


if __name__ == "__main__":
    main()
