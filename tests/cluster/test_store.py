"""Does a worker's store keep its contract, on a real server?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crawler.frontier.store import ELSEWHERE, Finished
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.private import PrivateServer
from tests.cluster.worker import Workers

pytestmark = pytest.mark.process


@pytest.fixture
def workers(server: PrivateServer, connection: Connection) -> Iterator[Workers]:
    """Make workers of one new job."""
    made = Workers(server.address)
    yield made
    made.close()


def test_start_is_one_workers_and_its_children_are_taken_in_order(workers: Workers) -> None:
    one = workers.worker()
    answer = one.starts("http://a/1", "http://a/2", "http://a/1", "http://b/3")
    assert answer.admitted == [ELSEWHERE, ELSEWHERE, None, ELSEWHERE]
    first, second = one.takes("a")
    assert (first.request.url, second.request.url) == ("http://a/1", "http://a/2")
    assert (first.host, first.origin, first.key < second.key) == ("a", "http://a:80", True)
    [third] = one.takes("b")
    answers = one.wait(one.store.commit([Finished(entry.token, items=[entry.order]) for entry in (first, second)]))
    assert [answer.first_item for answer in answers] == [1, 2]
    assert workers.items() == [first.order, second.order]
    assert not one.holder.was_told("over")
    one.wait(one.store.commit([Finished(third.token)]))
    for feed in ("out.jl",):
        opened = workers.job.create([feed])
        assert workers.job.fed(opened.run, feed, 2, b"mark", b"")
    workers.until(lambda: one.holder.was_told("over"))
