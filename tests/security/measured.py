"""Crawls a site in a process of its own, and says what that cost: ``python -m tests.security.measured NAME URL``.

Prints JSON: ``grown``, by how many bytes the process was larger at its largest than before the crawl;
``seconds``; ``ports``, on which it listened meanwhile; ``stats`` and ``errors``.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crawler import SitemapSpider
from crawler.events import CrawlClosing, Event, ResponseReceived
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.spider import Spider
from tests.security.support import crawl, walker

LIMIT = 8_000_000
LIMITED = {"CONCURRENT_REQUESTS": 1, "DOWNLOAD_MAXSIZE": LIMIT, "DOWNLOAD_SPOOL_SIZE": 0}


def listening() -> list[str]:
    """Return the local addresses on which this process listens (Linux)."""
    inodes = set()
    for file in Path("/proc/self/fd").iterdir():
        try:
            inodes.add(str(file.readlink()))
        except OSError:
            continue  # the one that lists the folder
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if f"socket:[{fields[9]}]" in inodes and fields[3] in ("0A", "07"):
                found.append(f"{table} {fields[1]}")
    return found


def memory(name: str) -> int:
    """Return a line of /proc/self/status in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{name}:")[2].split()[0]) * 1024


def _links(url: str) -> type[Spider]:
    class Lazy(Spider):
        name = "lazy"
        start_urls = [url]

        def parse(self, response: Response) -> Iterator[Any]:
            for number in range(response.text.count("<a ")):
                yield Request(response.urljoin(f"/{number}"))

    return Lazy


def _mapped(url: str) -> type[Spider]:
    class Mapped(SitemapSpider):
        name = "mapped"
        sitemap_urls = [url]
        sitemap_max_size = LIMIT

    return Mapped


def main(name: str, url: str) -> None:
    """Run one crawl and print what it cost."""
    made: dict[str, tuple[Any, dict[str, Any]]] = {
        "walk": (walker, LIMITED),
        "sitemap": (_mapped, LIMITED),
        "links": (_links, {"CLOSESPIDER_PAGECOUNT": 20, "JOB_STORE": "sqlite"}),
    }
    spider, settings = made[name]
    crawl(walker("data:text/html,first"), {"ROBOTSTXT_OBEY": False})  # what is imported late is not the site's doing
    ports: set[str] = set()

    def look(event: Event) -> None:
        ports.update(listening())

    Path("/proc/self/clear_refs").write_text("5")  # the peak is that from now on
    before, began, cpu = memory("VmRSS"), time.monotonic(), _cpu()
    with tempfile.TemporaryDirectory() as folder:
        given = {**settings, "JOB_DIR": f"{folder}/jobs"}
        crawled = crawl(spider(url), given, seconds=100, subscribe={ResponseReceived: look, CrawlClosing: look})
    said = {
        "grown": memory("VmHWM") - before,
        "seconds": time.monotonic() - began,
        "cpu": _cpu() - cpu,
        "ports": sorted(ports),
        "stats": {key: value for key, value in crawled.summary.stats.items() if isinstance(value, int | str)},
        "errors": crawled.errors,
    }
    print(json.dumps(said))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main(*sys.argv[1:])
