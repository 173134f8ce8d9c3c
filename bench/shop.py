"""How does this crawler compare with others on the same shop, served by nginx on loopback?

    python -m bench.shop                                   # 5,000 pages of 5 kB, three rounds
    python -m bench.shop --kind large --pages 1000         # 60 kB and 110 links a page
    python -m bench.shop --fetch-only --peers ours,loop
    python -m bench.shop --json figures.json

The peers run in turn, round by round, so that a busy machine is unfair to all alike. Every run's items
are compared with what the shop is known to hold, and the server's log with the pages there are, before
any figure is printed. Figures are medians.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from bench.make_shop import KINDS, PER_LISTING, all_paths, expected, make_shop
from bench.nginx import Nginx

ROOT = Path(__file__).parents[1]


class Peer(NamedTuple):
    """One row of the table; ``foreign`` peers run by --peer-python."""

    title: str
    module: str
    variant: str = ""
    foreign: bool = False


PEERS = {
    "scrapy": Peer("Scrapy, defaults", "scrapy_shop", foreign=True),
    "scrapy1": Peer("Scrapy, CONCURRENT_ITEMS=1", "scrapy_shop", "1", foreign=True),
    "crawlee": Peer("crawlee, ParselCrawler", "crawlee_shop", foreign=True),
    "ours": Peer("this crawler, in memory", "ours", "memory"),
    "durable": Peer("this crawler, durable job", "ours", "durable"),
    "scrapy-template": Peer("Scrapy, its template's middlewares", "scrapy_shop", "template", foreign=True),
    "here": Peer("the Scrapy script run by us, in memory", "scrapy_here", "memory"),
    "here-durable": Peer("the Scrapy script run by us, durable job", "scrapy_here", "template"),
    "loop": Peer("hand-written loop, no engine", "loop"),
}


class WrongResult(Exception):
    """A peer did not crawl the whole shop, or found something else."""


def run_peer(peer: Peer, url: str, folder: Path, *, python: str, paths: Path | None) -> dict[str, Any]:
    """Run one peer once; return its figures and its items by path."""
    out = folder / "items.jsonl"
    out.unlink(missing_ok=True)
    command = [python if peer.foreign else sys.executable, "-m", f"bench.peers.{peer.module}"]
    command += ["--url", url, "--out", str(out), "--variant", peer.variant]
    if paths is not None:
        command += ["--paths", str(paths)]
    ended = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    lines = [line for line in ended.stdout.splitlines() if line.startswith("{")]
    if ended.returncode or not lines:
        raise WrongResult(f"{peer.title} failed:\n{ended.stdout[-2000:]}{ended.stderr[-4000:]}")
    result: dict[str, Any] = json.loads(lines[-1])
    found = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    result["items"] = {item.pop("url").removeprefix(url.rstrip("/")): item for item in found}
    if len(result["items"]) != len(found):
        raise WrongResult(f"{peer.title} wrote an item twice")
    return result


def check(peer: Peer, result: dict[str, Any], *, pages: int, fetch_only: bool) -> None:
    """Raise WrongResult unless every page was crawled and every item is as it should be."""
    wanted_pages = pages + pages // PER_LISTING
    if result["pages"] != wanted_pages:
        raise WrongResult(f"{peer.title} crawled {result['pages']} pages of {wanted_pages}")
    wanted = {} if fetch_only else expected(pages)
    if result["items"] != wanted:
        wrong = [
            path for path in wanted.keys() | result["items"].keys() if wanted.get(path) != result["items"].get(path)
        ]
        first = min(wrong)
        raise WrongResult(f"{peer.title}: {len(wrong)} items differ, e.g. {first}: {result['items'].get(first)}")


def check_log(server: Nginx, *, pages: int, runs: int) -> None:
    """Raise WrongResult unless the server answered every page once for each run, robots.txt apart."""
    served = server.requests()
    for path in all_paths(pages):
        # The front page is asked for by its folder.
        count = served[f"200 GET {path}"] + (served["200 GET /"] if path == "/index.html" else 0)
        if count != runs:
            raise WrongResult(f"{path} was served {count} times in {runs} runs")


def figures(results: list[dict[str, Any]]) -> dict[str, float]:
    """Return the medians of a peer's runs: pages a second, CPU microseconds a page, peak megabytes."""
    return {
        "pages_per_second": statistics.median(run["pages"] / run["seconds"] for run in results),
        "cpu_us_per_page": statistics.median(run["cpu"] / run["pages"] * 1e6 for run in results),
        "peak_mb": statistics.median(run["peak_kb"] / 1024 for run in results),
        "seconds": statistics.median(run["seconds"] for run in results),
    }


def table(rows: dict[str, dict[str, float]]) -> str:
    """Return the figures as a Markdown table; "×" is how many times as fast as a row the crawler in memory is."""
    ours = rows.get("ours", {}).get("pages_per_second")
    lines = ["| | pages/s | CPU µs/page | peak MB | ours × |", "|---|---:|---:|---:|---:|"]
    for name, row in rows.items():
        ratio = f"{ours / row['pages_per_second']:.2f}" if ours else ""
        lines.append(
            f"| {PEERS[name].title} | {row['pages_per_second']:,.0f} | {row['cpu_us_per_page']:,.0f} "
            f"| {row['peak_mb']:,.0f} | {ratio} |"
        )
    return "\n".join(lines)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=5000, help="item pages; a multiple of 20")
    parser.add_argument("--kind", choices=sorted(KINDS), default="small")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default=",".join(PEERS), help=f"of {', '.join(PEERS)}")
    parser.add_argument("--fetch-only", action="store_true", help="fetch known URLs, parse nothing")
    parser.add_argument("--peer-python", default=str(ROOT / "bench/.venv/bin/python"))
    parser.add_argument("--json", type=Path, help="write every run's figures here, too")
    return parser.parse_args(arguments)


def main() -> None:
    """Run the comparison."""
    wanted = parse_arguments()
    names = wanted.peers.split(",")
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_shop(folder / "shop", wanted.pages, wanted.kind)
        paths = folder / "paths" if wanted.fetch_only else None
        if paths:
            paths.write_text("\n".join(all_paths(wanted.pages)))
        with Nginx(folder / "shop", log=True) as server:
            for _round in range(wanted.rounds):
                for name in names:
                    result = run_peer(PEERS[name], server.url, folder, python=wanted.peer_python, paths=paths)
                    check(PEERS[name], result, pages=wanted.pages, fetch_only=wanted.fetch_only)
                    del result["items"]
                    results[name].append(result)
                    print(f"  {PEERS[name].title}: {result['pages'] / result['seconds']:,.0f} pages/s", file=sys.stderr)
            check_log(server, pages=wanted.pages, runs=wanted.rounds * len(names))
    rows = {name: figures(runs) for name, runs in results.items()}
    print(f"{wanted.pages} {wanted.kind} pages, {wanted.rounds} rounds; items and pages equal in all runs\n")
    print(table(rows))
    if wanted.json:
        wanted.json.write_text(json.dumps({"medians": rows, "runs": results}, indent=1))


if __name__ == "__main__":
    try:
        main()
    except WrongResult as error:
        sys.exit(f"No figures: {error}")
