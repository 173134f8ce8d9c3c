"""How fast is one worker on a local server beside a crawl in one process, on the shop of bench.shop?

And how does scrapy-redis stand two kills, beside four workers that stand the same?
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.cluster.runs import ROOT, Costs, SiteProcess, WrongResult, crawl
from bench.make_shop import PER_LISTING, expected, make_shop
from bench.nginx import Nginx
from crawler.storage.cluster.private import PrivateServer

KILLS = 2


def beside_sqlite(pages: int, rounds: int) -> Iterator[str]:
    """Yield the lines of a table: the shop by one process on SQLite, and by one worker on a server, in turn."""
    rates: dict[str, list[float]] = {"SQLite": [], "server": []}
    spent: dict[str, list[Costs]] = {"SQLite": [], "server": []}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_shop(folder / "shop", pages, "small")
        for number in range(rounds):
            for name in rates:
                with Nginx(folder / "shop", extra=f"access_log {folder}/moments moments;") as site:
                    if name == "SQLite":
                        costs = _shop(site.url, folder, pages, None)
                    else:
                        with PrivateServer(folder / f"server{number}") as server:
                            costs = _shop(site.url, folder, pages, server)
                moments = [float(line) for line in (folder / "moments").read_text().splitlines()]
                (folder / "moments").unlink()
                rates[name].append((pages + pages // PER_LISTING) / (max(moments) - min(moments)))
                spent[name].append(costs)
    yield f"{pages} pages of 5 kB, from the first request to the last, medians of {rounds} rounds\n"
    yield "| | pages/s | CPU µs/page: starter and workers | server |"
    yield "|---|---:|---:|---:|"
    for name, title in (("SQLite", "one process, SQLite"), ("server", "starter and one worker, a local server")):
        each = [statistics.median(cost[at] for cost in spent[name]) / pages * 1e6 for at in (0, 1)]
        yield f"| {title} | {statistics.median(rates[name]):,.0f} | {each[0]:,.0f} | {each[1]:,.0f} |"
    ratio = statistics.median(many / one for one, many in zip(rates["SQLite"], rates["server"], strict=True))
    yield f"\nmedian ratio {ratio:.2f} (0.8 is wanted)"


def _shop(url: str, folder: Path, pages: int, server: PrivateServer | None) -> Costs:
    out = folder / "items.jsonl"
    settings = ("DOWNLOAD_DELAY=0",)
    costs = crawl("-a", f"url={url}", out=out, server=server, spider="shop", settings=settings)
    found = {
        item.pop("url").removeprefix(url.rstrip("/")): item for item in map(json.loads, out.read_text().splitlines())
    }
    if found != expected(pages):
        raise WrongResult(f"the items of the shop differ: {len(found)} of {pages}")
    return costs


def beside_scrapy_redis(pages: int, python: str) -> Iterator[str]:
    """Crawl 16 hosts by four processes, two of which are killed on the way; yield a table of both crawlers."""
    yield f"16 hosts of {pages // 16} pages that answer after 50 ms; four processes, {KILLS} killed and replaced\n"
    yield "| | pages/s | items | lost | doubled | requests beside one a page | seconds |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for title, one in (("this crawler", _ours), ("scrapy-redis", lambda *given: _theirs(*given, python=python))):
        with tempfile.TemporaryDirectory() as folder, SiteProcess(hosts=16, pages=pages // 16, seconds=0.05) as site:
            found = one(site, Path(folder))
        missing, extra = site.wanted - found, found - site.wanted
        again = len(site.log) - site.wanted.total()
        seconds = max(each.answered for each in site.log) - min(each.asked for each in site.log)
        counts = f"{found.total():,} | {missing.total()} | {extra.total()} | {again:+}"
        yield f"| {title} | {len(site.log) / seconds:,.0f} | {counts} | {seconds:.0f} |"


def _ours(site: SiteProcess, folder: Path) -> Counter[tuple[str, str]]:
    out = folder / "items.jsonl"

    def during(starter: subprocess.Popen[str]) -> None:
        threading.Thread(target=_kill_children, args=(starter.pid,), daemon=True).start()

    with PrivateServer(folder / "server") as server:
        options = ("-a", "hosts=16", "-a", f"port={site.port}")
        crawl(*options, out=out, server=server, workers=4, settings=("CONCURRENT_REQUESTS=16",), during=during)
    return Counter((item["host"], item["path"]) for item in map(json.loads, out.read_text().splitlines()))


def _kill_children(parent: int) -> None:
    """Kill a worker of a starter four seconds after its start, and another two seconds later."""
    for seconds in (4.0, 2.0):
        time.sleep(seconds)
        children = [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
        workers = [pid for pid in children if b"\0work\0" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        os.kill(workers[0], signal.SIGKILL)


def _theirs(site: SiteProcess, folder: Path, *, python: str) -> Counter[tuple[str, str]]:
    with PrivateServer(folder / "server") as server:
        from crawler.storage.cluster.client import Connection

        command = [python, "-m", "scrapy", "crawl", "walk", "-s", f"REDIS_URL={server.address.url}"]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}", "NO_PROXY": "127.0.0.1"}

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                [*command, "-a", f"port={site.port}"],
                cwd=Path(__file__).parent / "peer",
                env=environment,
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

        running = [start() for _ in range(4)]
        for seconds in (6.0, 2.0):
            time.sleep(seconds)
            running.pop(0).kill()
            running.append(start())
        for process in running:
            process.wait(600)
        connection = Connection(server.address)
        connection.open()
        found: list[Any] = connection.command("LRANGE", "walk:items", 0, -1)
        connection.close()
    return Counter((item["host"], item["path"]) for item in map(json.loads, found))
