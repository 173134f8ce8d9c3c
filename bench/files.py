"""What do images cost beside the same crawl without them, and is each there once when the crawl is killed?

    python -m bench.files                           # 10,000 images of 20 kB over 20 hosts, three SIGKILLs
    python -m bench.files --images 1000 --kills 1
    python -m bench.files --no-kills                # the costs alone

The site is served by this process, so the crawl and it share the machine; CPU and memory are those of the crawl's
process, by the kernel's count. The exit status is 1 if an item is missing or doubled, a file is not whole, or one was
fetched again that had been in the store.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.files.gallery import SPIDER, Gallery, Killed, crawl_killed
from tests.jobs.running import command

RUNS = {
    "no images": ("-a", "names=no"),
    "files": ("-s", 'PIPELINES=["crawler.Files"]', "-s", "FILES_URLS_FIELD=image_urls", "-s", "FILES_STORE=files"),
    "images": ("-s", 'PIPELINES=["crawler.Images"]', "-s", "IMAGES_STORE=images"),
    "images, thumbnails": (
        *("-s", 'PIPELINES=["crawler.Images"]', "-s", "IMAGES_STORE=thumbs"),
        *("-s", 'IMAGES_THUMBS={"small": [60, 60]}'),
    ),
}


class Cost(NamedTuple):
    """What one run took: seconds, those of the CPU in the process and in the kernel, its largest memory in MB; and how
    many requests it sent."""

    seconds: float
    user: float
    kernel: float
    megabytes: float
    asked: int


def cost(gallery: Gallery, folder: Path, *options: str) -> Cost:
    """Crawl the gallery once."""
    spider = folder / "gallery.py"
    spider.write_text(SPIDER)
    before, began = len(gallery.log), time.monotonic()
    arguments = ("-a", f"port={gallery.port}", "-a", f"images={gallery.images}", "-a", f"hosts={gallery.hosts}")
    process = subprocess.Popen(
        command("run", str(spider), "-O", "items.jsonl", "-L", "WARNING", *arguments, *options),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"the crawl failed with {process.returncode}")
    seconds, asked = time.monotonic() - began, len(gallery.log) - before
    return Cost(seconds, used.ru_utime, used.ru_stime, used.ru_maxrss / 1024, asked)


def costs(gallery: Gallery) -> str:
    """Return a table of the runs, each beside the one without images."""
    lines = [
        "| run | requests | seconds | CPU s, kernel s | a file: CPU µs, kernel µs | MB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    base: Cost | None = None
    for name, options in RUNS.items():
        with tempfile.TemporaryDirectory() as folder:
            row = cost(gallery, Path(folder), *options)
        base = base or row
        files = row.asked - base.asked
        more = [(row.user - base.user) / files * 1e6, (row.kernel - base.kernel) / files * 1e6] if files else []
        above = ", ".join(f"{each:,.0f}" for each in more) or "–"
        cpu = f"{row.user:.1f}, {row.kernel:.1f}"
        lines.append(f"| {name} | {row.asked:,} | {row.seconds:.1f} | {cpu} | {above} | {row.megabytes:.0f} |")
    return "\n".join(lines)


def kills(gallery: Gallery, count: int) -> Killed:
    """Crawl the gallery with kills."""
    with tempfile.TemporaryDirectory() as folder:
        return crawl_killed(gallery, Path(folder), kills=count)


def main() -> None:
    """Print the costs, then what kills did."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=10_000, help="a multiple of 10")
    parser.add_argument("--hosts", type=int, default=20)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--no-kills", action="store_true")
    parser.add_argument("--no-costs", action="store_true")
    wanted = parser.parse_args()
    if not wanted.no_costs:
        with Gallery(images=wanted.images, hosts=wanted.hosts) as gallery:
            print(costs(gallery))
    if wanted.no_kills:
        return
    with Gallery(images=wanted.images, hosts=wanted.hosts) as gallery:
        found = kills(gallery, wanted.kills)
    print(
        f"\n{len(found.kills)} SIGKILLs: {wanted.images:,} items, {found.missing_items} missing, {found.double_items} "
        f"twice; {wanted.images + wanted.hosts:,} files, {len(found.broken)} not whole; {found.asked:,} fetches of "
        f"files, {len(found.again)} again, {len(found.early)} of them although they had been there; "
        f"{len(found.left_over)} left over"
    )
    sys.exit(0 if found.good else 1)


if __name__ == "__main__":
    main()
