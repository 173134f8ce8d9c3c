"""Does the `site` spider find every page of real documentation, and how fast?

    python -m bench.real_docs                 # the HTML of python3.11-doc and postgresql-doc-15
    python -m bench.real_docs FOLDER INDEX    # any folder of HTML and its first page

nginx serves the folder; `wget -r` says what there is to find. Where the pages differ, no figures are printed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from bench.nginx import Nginx
from bench.wget import html_pages, named_like_wget

ROOT = Path(__file__).parents[1]
KNOWN = {
    "postgresql-doc-15": (Path("/usr/share/doc/postgresql-doc-15/html"), "index.html"),
    "python3.11-doc": (Path("/usr/share/doc/python3.11/html"), "index.html"),
}


class DifferentPages(Exception):
    """The spider found other pages than wget, or one twice."""


class SiteCrawl(NamedTuple):
    """The items of each URL's path, how often the server was asked for what, and the seconds from start to exit."""

    items: Counter[str]
    asked: Counter[str]
    seconds: float


def crawl_site(server: Nginx, index: str, *settings: str) -> SiteCrawl:
    """Run `crawler crawl site` on a served folder, without delay as it is our own server."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "pages.jsonl"
        command = [sys.executable, "-m", "crawler", "crawl", "site", "-a", f"url={server.url}{index}", "-O", str(out)]
        for setting in ("DOWNLOAD_DELAY=0", "CONCURRENT_REQUESTS_PER_DOMAIN=8", f"JOB_DIR={folder}/jobs", *settings):
            command += ["-s", setting]
        began = time.perf_counter()
        ended = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "NO_PROXY": "127.0.0.1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        seconds = time.perf_counter() - began
        if ended.returncode:
            raise RuntimeError(f"crawler ended with {ended.returncode}:\n{ended.stderr[-4000:]}")
        items = [json.loads(line) for line in out.read_text().splitlines()]
    found = Counter("/" + item["url"].removeprefix(server.url) for item in items)
    return SiteCrawl(found, server.requests(), seconds)


def compare(folder: Path, index: str) -> str:
    """Crawl one folder both ways; return a line for a person. Raises DifferentPages."""
    with Nginx(folder) as server:
        wanted, wget_seconds = html_pages(server.url + index)
    with Nginx(folder, log=True) as server:
        crawl = crawl_site(server, index)
    pages = {named_like_wget(path) for path in crawl.items}
    missing, extra = wanted - pages, pages - wanted
    twice = {path for path, count in crawl.items.items() if count > 1}
    for wrong, what in ((missing, "were not found"), (extra, "are none that wget finds"), (twice, "came twice")):
        if wrong:
            raise DifferentPages(f"{len(wrong)} pages {what}: {sorted(wrong)[:5]}")
    size = sum(path.stat().st_size for path in folder.rglob("*.html"))
    return (
        f"{folder}: {len(wanted)} pages, as wget finds; {size / len(wanted) / 1000:.0f} kB a page; "
        f"{crawl.seconds:.1f} s from start to exit ({len(wanted) / crawl.seconds:,.0f} pages/s); "
        f"wget {wget_seconds:.1f} s"
    )


def main() -> None:
    """Compare the known documents that are installed, or the folder that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("index", nargs="?", default="index.html", help="the first page, below the folder")
    wanted = parser.parse_args()
    if wanted.folder is not None:
        print(compare(wanted.folder, wanted.index))
        return
    for name, (folder, index) in KNOWN.items():
        print(compare(folder.resolve(), index) if folder.exists() else f"{name} is not installed (make system)")


if __name__ == "__main__":
    try:
        main()
    except DifferentPages as error:
        sys.exit(f"No figures: {error}")
