"""Does a crawl on many processes hold out against a fault of one kind, looked at by itself?"""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from crawler.storage.cluster import library
from crawler.storage.cluster.jobcalls import JobCalls
from crawler.storage.cluster.library import JobState
from tests.cluster.kills.chaos import LEASE_SECONDS, Crew
from tests.cluster.kills.server import Server
from tests.cluster.kills.site import Answers, ServedSite, serving
from tests.cluster.kills.sitelog import Exchange, by_host
from tests.cluster.servers import connection_to

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.usefixtures("program")]

HOSTS = ["127.0.0.2", "127.0.0.3"]
SLOTS = json.dumps({host: {"concurrency": 2} for host in HOSTS})
SHARED, *PACED = [f"127.0.0.{number}" for number in range(2, 8)]
DELAY = 0.3
"""The delay of each host of PACED, where one has one, in seconds."""
PATIENCE = 600.0
"""Seconds after which a crawl hangs: a worker that starts in one on an idle machine takes 25 on a busy one."""
NO_LEASE_ENDS = ["-s", "JOB_LEASE_SECONDS=60"]
"""For workers that a busy machine shall not make late."""


class Plain(Answers):
    """Pages without links; ``large`` names one that has 50,000, all to a third host. ``slow``: a host's seconds."""

    def __init__(self, *, seconds: float = 0.0, large: str = "", slow: dict[str, float] | None = None) -> None:
        self.hosts = [SHARED, *PACED]
        self.seconds = dict.fromkeys(self.hosts, seconds) | (slow or {})
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


def ended(crew: Crew, folder: Path, *, statuses: tuple[int, ...] = (0,)) -> Counter[str]:
    """Wait for the end of the crawl; return how often each item is in its output."""
    status = crew.process.wait(PATIENCE)
    assert status in statuses, (folder / "log.txt").read_text()[-5000:]
    return Counter(json.loads(line)["path"] for line in (folder / "out.jsonl").read_text().splitlines())


def pages(log: list[Exchange]) -> Counter[str]:
    """Return how often each page was asked."""
    return Counter(one.key for one in log if one.path != "/robots.txt")


def once(kinds: str, count: int, hosts: list[str] = HOSTS) -> dict[str, int]:
    """Return each page of the hosts, once."""
    return {f"{host}/{kind}/{number}": 1 for host in hosts for kind in kinds for number in range(count)}


def short_gaps(log: list[Exchange], hosts: list[str]) -> list[str]:
    """Tell where two workers have sent to a host too soon after each other, by their own clock.

    A worker that is stopped by the system between its decision and its stamp seems late: half a delay is for that.
    """
    asked = {host: sorted(each, key=lambda one: one.sent) for host, each in by_host(log).items() if host in hosts}
    return [
        f"{one.key} of {one.pid}, {two.key} of {two.pid} {two.sent - one.sent:.3f} s later"
        for each in asked.values()
        for one, two in pairwise(each)
        if one.pid != two.pid and two.sent - one.sent < DELAY / 2
    ]


@contextmanager
def looking(server: Server) -> Iterator[Callable[[], JobState]]:
    """Give what tells how far the job is."""
    with closing(connection_to(f"redis://127.0.0.1:{server.port}/0")) as connection:
        connection.open()
        library.load(connection)
        yield JobCalls(connection, "crawler:k").state


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until it is true."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "this did not happen in time"
        time.sleep(0.02)


def test_a_callback_of_two_leases_keeps_its_worker(tmp_path: Path) -> None:
    busy = ["-a", "busy=3", "-a", "seconds=10", "-s", "JOB_LEASE_SECONDS=5"]
    with serving(Plain(), tmp_path) as site, crawling(tmp_path, site, *busy) as crew:
        assert ended(crew, tmp_path) == once("p", 10)
        assert pages(site.log) == once("p", 10)


def test_a_page_that_kills_its_worker_fails_by_name_after_five(tmp_path: Path) -> None:
    lethal = ["-a", "lethal=3", "-a", "hosts=127.0.0.2", "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=2", *NO_LEASE_ENDS]
    with serving(Plain(), tmp_path) as site, crawling(tmp_path, site, *lethal) as crew:
        found = ended(crew, tmp_path)
        wanted = once("p", 10, HOSTS[:1])
        del wanted["127.0.0.2/p/3"]
        assert found == wanted
        assert pages(site.log)["127.0.0.2/p/3"] == 5
        log = (tmp_path / "log.txt").read_text()
        assert log.count("was killed by SIGKILL; another one takes its place") == 5
        why = "LostWorkers: its callback was running when 5 workers died"
        assert f"Gave up <GET http://127.0.0.2:{site.port}/p/3>: {why}" in log
        assert "Failed  1 (1 lost workers)" in log


def test_two_workers_fetch_inline_from_each_others_hosts(tmp_path: Path) -> None:
    slots = '{"127.0.0.2": {"delay": 0.1, "concurrency": 1}, "127.0.0.3": {"delay": 0.1, "concurrency": 1}}'
    inline = ["-a", "inline=1", "-a", "pages=20", "-s", f"DOWNLOAD_SLOTS={slots}"]
    with serving(Plain(), tmp_path) as site, crawling(tmp_path, site, *inline) as crew:
        assert ended(crew, tmp_path) == once("pd", 20)


def test_50_000_links_of_one_page_while_other_hosts_keep_their_gaps(tmp_path: Path) -> None:
    slots = json.dumps({host: {"delay": DELAY, "concurrency": 1} for host in [*HOSTS, "127.0.0.4"]})
    begin = ["-a", "pages=20", "-s", f"DOWNLOAD_SLOTS={slots}", *NO_LEASE_ENDS]
    with (
        serving(Plain(large="127.0.0.2/p/5"), tmp_path) as site,
        served(tmp_path) as server,
        looking(server) as look,
    ):

        def known() -> int:
            state = look()
            return state.queued + state.taken + state.done

        with crawling(tmp_path, site, *begin, store=f"redis://127.0.0.1:{server.port}/0") as crew:
            wait_until(lambda: known() == 50_040)
            wait_until(lambda: set(once("p", 20)) <= {one.key for one in site.log if one.ended})
            crew.process.send_signal(signal.SIGINT)
            found = ended(crew, tmp_path, statuses=(130,))
        state = look()
        assert (state.queued + state.done, state.taken) == (50_040, 0)
    assert set(once("p", 20)) <= set(found)
    assert (len(found), max(found.values())) == (state.done, 1)
    assert pages(site.log) == found
    assert short_gaps(site.log, [*HOSTS, "127.0.0.4"]) == []
    [large] = [one for one in site.log if one.key == "127.0.0.2/p/5"]
    after = min(one.sent for one in site.log if one.host == "127.0.0.4")
    assert large.ended is not None
    meanwhile = [one for one in site.log if one.host in HOSTS and large.ended < one.sent < after]
    assert {one.host for one in meanwhile} == set(HOSTS)


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
            assert ended(crew, tmp_path) == once("p", 100)


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
            assert ended(crew, tmp_path) == once("p", 80)
