"""Is nothing lost and nothing doubled when answers, calls, the server or the worker go missing for a while?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from crawler.errors import LateWorker
from crawler.frontier.store import Finished
from crawler.storage.cluster.address import parse
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.private import PrivateServer
from tests.cluster.proxy import Proxy
from tests.cluster.worker import LEASE, Worker, Workers
from tests.storage.support import offer

pytestmark = pytest.mark.process

PAGES = 20


@pytest.fixture
def proxy(server: PrivateServer, tmp_path: Path) -> Iterator[Proxy]:
    """Stand before the server."""
    made = Proxy(tmp_path / "proxy", server.address.socket)
    yield made
    made.close()


@pytest.fixture
def workers(server: PrivateServer, connection: Connection, proxy: Proxy) -> Iterator[Workers]:
    """Make workers of one new job; they leave before the proxy goes."""
    made = Workers(server.address)
    yield made
    made.close()


def crawl(worker: Worker) -> list[int]:
    """Follow a tree of pages to its end; return the numbers that the items got."""
    worker.starts("http://a/0")
    numbers: list[int] = []
    while len(numbers) < PAGES:
        entries = worker.takes("a", 4)
        finished = []
        for entry in entries:
            page = int(entry.request.url.rpartition("/")[2])
            links = [offer(f"http://a/{each}") for each in (2 * page + 1, 2 * page + 2, 0) if each < PAGES]
            finished.append(Finished(entry.token, items=[page], children=links))
        if finished:
            numbers += [answer.first_item for answer in worker.wait(worker.store.commit(finished))]
    return numbers


@pytest.mark.parametrize("what", ["call", "answer"])
@pytest.mark.parametrize("every", [2, 5])
def test_lost_calls_and_answers_change_nothing(workers: Workers, proxy: Proxy, what: str, every: int) -> None:
    def lose(number: int) -> str:
        return what if number % every == 0 else ""

    proxy.lose = lose
    worker = workers.worker(parse(proxy.url))
    assert crawl(worker) == list(range(1, PAGES + 1))
    assert sorted(workers.items()) == list(range(PAGES))
    state = workers.job.state()
    assert (state.queued, state.taken, state.done) == (0, 0, PAGES)
    assert proxy.calls > PAGES // 4
    assert not worker.holder.was_told("lost")


def test_a_worker_that_is_cut_off_closes_what_is_open_and_goes_on_if_nobody_took_it(
    workers: Workers, proxy: Proxy
) -> None:
    worker = workers.worker(parse(proxy.url))
    worker.starts("http://a/0")
    [entry] = worker.takes("a")
    proxy.lose = lambda number: "call"
    workers.until(lambda: not worker.store.may_send(), LEASE)
    assert not worker.holder.was_told("fenced")
    workers.until(lambda: worker.holder.was_told("fenced"), LEASE)
    proxy.lose = lambda number: ""
    workers.until(worker.store.may_send)
    worker.wait(worker.store.commit([Finished(entry.token, items=[1])]))
    assert workers.items() == [1]


def test_a_worker_that_is_cut_off_for_longer_is_late(workers: Workers, proxy: Proxy) -> None:
    one = workers.worker(parse(proxy.url))
    one.starts("http://a/0")
    [entry] = one.takes("a")
    proxy.lose = lambda number: "call"
    two = workers.worker()
    [again] = two.takes("a")  # when the lease is over
    assert again.token == entry.token
    assert not one.store.may_send()
    proxy.lose = lambda number: ""
    workers.until(lambda: one.holder.was_told("lost"))
    with pytest.raises(LateWorker):
        one.wait(one.store.commit([Finished(entry.token, items=["twice"])]))
    two.wait(two.store.commit([Finished(again.token, items=["once"])]))
    assert workers.items() == ["once"]


def test_a_busy_reactor_keeps_its_requests(workers: Workers) -> None:
    one, two = workers.worker(lease=1.5), workers.worker(lease=1.5)
    one.starts("http://a/0")
    [entry] = one.takes("a")
    busy(3.0)
    assert one.store.may_send()
    one.wait(one.store.commit([Finished(entry.token)]))
    assert not two.holder.was_told("lost")


def busy(seconds: float) -> None:
    """Be a callback that takes its time, and the processor."""
    end = monotonic() + seconds
    while monotonic() < end:
        sum(range(1000))


def test_what_was_done_before_the_server_was_killed_is_known_to_the_next(program: str, tmp_path: Path) -> None:
    with PrivateServer(tmp_path / "job.cluster", program=program) as server:
        workers = Workers(server.address)
        worker = workers.worker()
        worker.starts("http://a/0", "http://b/0")
        [first] = worker.takes("a")
        killed = int(workers.connection.command("INFO", "server").partition(b"process_id:")[2].split()[0])
        os.kill(killed, signal.SIGKILL)
        answer = worker.store.commit([Finished(first.token, items=[1], children=[offer("http://c/")])])
        workers.until(server.restart_if_dead)
        worker.wait(answer)
        [other] = worker.takes("c")
        worker.wait(worker.store.commit([Finished(other.token, items=[2])]))
        assert workers.items() == [1, 2]
        assert not worker.holder.was_told("lost")
        workers.close()


def test_a_worker_that_was_stopped_sends_nothing_when_it_goes_on(workers: Workers) -> None:
    stopped = subprocess.Popen(
        [sys.executable, "-c", STOPPED, workers.address.url], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert stopped.stdout is not None
        assert stopped.stdout.readline() == "True\n"
        stopped.send_signal(signal.SIGSTOP)
        two = workers.worker()
        assert len(two.takes("a")) == 1
        stopped.send_signal(signal.SIGCONT)
        assert stopped.stdout.read().split() == ["False", "LateWorker"]
    finally:
        stopped.kill()
        stopped.communicate()


ROOT = Path(__file__).parents[2]

STOPPED = """
import sys, time
from crawler.storage.cluster.address import parse
from tests.cluster.worker import Workers
workers = Workers(parse(sys.argv[1]))
worker = workers.worker()
worker.starts("http://a/0")
worker.takes("a")
last = now = time.monotonic()
print(worker.store.may_send(), flush=True)
while now - last < 1.5:  # it is about to be stopped
    time.sleep(0.001)
    last, now = now, time.monotonic()
print(worker.store.may_send(), flush=True)
workers.until(lambda: worker.holder.was_told("lost"))
print(*[type(heard[1]).__name__ for heard in worker.holder.heard if heard[0] == "lost"], flush=True)
"""
