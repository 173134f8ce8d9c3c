"""Does a crawl on many processes hold out against a fault of one kind, looked at by itself?"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from crawler.storage.cluster import library
from tests.cluster.kills.chaos import LEASE_SECONDS, Crew
from tests.cluster.kills.server import Server
from tests.cluster.kills.site import Answers, ServedSite, serving
from tests.cluster.kills.sitelog import Exchange
from tests.cluster.servers import connection_to

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("program")]

HOSTS = ["127.0.0.2", "127.0.0.3"]
SLOTS = json.dumps({host: {"concurrency": 2} for host in HOSTS})


class Plain(Answers):
    """Pages without links; ``large`` names one that has 50,000, all to a third host."""

    def __init__(self, *, seconds: float = 0.0, large: str = "") -> None:
        self.hosts = [*HOSTS, "127.0.0.4"]
        self.seconds = dict.fromkeys(self.hosts, seconds)
        self._large = large

    def answer(self, host: str, path: str, head: str, port: int) -> tuple[int, str, str]:
        if path == "/robots.txt":
            return 404, "", ""
        if f"{host}{path}" == self._large:
            links = "".join(f'<a href="http://127.0.0.4:{port}/p/{number}">x</a>' for number in range(50_000))
            return 200, f"<html><title>Map</title>{links}</html>", ""
        return 200, f"<html><title>{path}</title></html>", ""


@contextmanager
def crawling(folder: Path, site: ServedSite, *arguments: str, store: str | None = None) -> Iterator[Crew]:
    """Start a crawl with two workers, on a server of its own unless a store is named."""
    where = ["-s", f"JOB_DIR={folder / 'jobs'}"] if store is None else ["-s", f"JOB_STORE={store}"]
    settings = [*where, "-s", f"JOB_LEASE_SECONDS={LEASE_SECONDS}", "-s", "PIPELINES=[]"]
    given = ["--job", "k", "-a", f"port={site.port}", "-O", str(folder / "out.jsonl"), "--workers", "2"]
    crew = Crew("crawl", "faults", *given, *settings, *arguments, log=folder / "log.txt")
    try:
        yield crew
    finally:
        crew.kill_all()


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    """Start a server of the test's own."""
    server = Server(folder / "server")
    try:
        server.start()
        yield server
    finally:
        server.end()


def ended(crew: Crew, folder: Path, *, seconds: float, statuses: tuple[int, ...] = (0,)) -> Counter[str]:
    """Wait for the end of the crawl; return how often each item is in its output."""
    status = crew.process.wait(seconds)
    assert status in statuses, (folder / "log.txt").read_text()[-5000:]
    return Counter(json.loads(line)["path"] for line in (folder / "out.jsonl").read_text().splitlines())


def pages(log: list[Exchange]) -> Counter[str]:
    """Return how often each page was asked."""
    return Counter(one.key for one in log if one.path != "/robots.txt")


def once(kinds: str, count: int, hosts: list[str] = HOSTS) -> dict[str, int]:
    """Return each page of the hosts, once."""
    return {f"{host}/{kind}/{number}": 1 for host in hosts for kind in kinds for number in range(count)}


def wait_until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until it is true."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "this did not happen in time"
        time.sleep(0.02)


def test_a_callback_of_two_leases_keeps_its_worker(tmp_path: Path) -> None:
    busy = ["-a", "busy=3", "-a", "seconds=10", "-s", "JOB_LEASE_SECONDS=5"]
    with serving(Plain(), tmp_path) as site, crawling(tmp_path, site, *busy) as crew:
        assert ended(crew, tmp_path, seconds=90) == once("p", 10)
        assert pages(site.log) == once("p", 10)


def test_two_workers_fetch_inline_from_each_others_hosts(tmp_path: Path) -> None:
    slots = '{"127.0.0.2": {"delay": 0.1, "concurrency": 1}, "127.0.0.3": {"delay": 0.1, "concurrency": 1}}'
    inline = ["-a", "inline=1", "-a", "pages=20", "-s", f"DOWNLOAD_SLOTS={slots}"]
    with serving(Plain(), tmp_path) as site, crawling(tmp_path, site, *inline) as crew:
        assert ended(crew, tmp_path, seconds=120) == once("pd", 20)


def test_a_server_that_forgets_two_seconds(tmp_path: Path) -> None:
    with serving(Plain(seconds=0.1), tmp_path) as site, served(tmp_path) as server:
        url = f"redis://127.0.0.1:{server.port}/0"
        with crawling(tmp_path, site, "-a", "pages=100", "-s", f"DOWNLOAD_SLOTS={SLOTS}", store=url) as crew:
            wait_until(lambda: len(site.log) > 10)
            until = time.monotonic() + 4
            while time.monotonic() < until:
                server.note_size()
                time.sleep(0.1)
            server.kill()
            assert server.forget(2.0) > 0
            server.start()
            assert ended(crew, tmp_path, seconds=120) == once("p", 100)


def test_a_server_whose_clock_is_stepped_by_an_hour(tmp_path: Path) -> None:
    told = "return x[1] * 1000 + floor(x[2] / 1000)"
    assert library.SOURCE.count(told) == 1
    stepped = library.SOURCE.replace(told, f"{told} + tonumber(call('GET', 'step') or 0)")
    with serving(Plain(seconds=0.2), tmp_path) as site, served(tmp_path) as server:
        url = f"redis://127.0.0.1:{server.port}/0"
        with crawling(tmp_path, site, "-a", "pages=80", "-s", f"DOWNLOAD_SLOTS={SLOTS}", store=url) as crew:
            wait_until(lambda: len(site.log) > 10)
            with closing(connection_to(url)) as connection:
                connection.open()
                connection.command("FUNCTION", "LOAD", "REPLACE", stepped)
                for step in (3_600_000, -3_600_000, 0):
                    connection.command("SET", "step", step)
                    time.sleep(1.5)
            assert ended(crew, tmp_path, seconds=120) == once("p", 80)
