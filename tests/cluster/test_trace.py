"""What `crawler explain` finds of a URL in a job on a server."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from crawler.frontier.host import Attempt
from crawler.frontier.store import Finished, Postponed, Refusal
from crawler.model.request import Request
from crawler.model.url import fingerprint
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.private import PrivateServer
from crawler.storage.cluster.trace import ServerTraces
from tests.cluster.worker import KEY, Workers
from tests.storage.support import offer

pytestmark = pytest.mark.process


@pytest.fixture
def workers(server: PrivateServer, connection: Connection) -> Iterator[Workers]:
    made = Workers(server.address)
    yield made
    made.close()


def test_what_became_of_a_url_is_found(workers: Workers) -> None:
    traces = ServerTraces(workers.connection, KEY, fingerprint, lambda request: request.host)
    one = workers.worker()
    one.starts("http://a/1", "http://a/2", "http://a/3?x=1&y=2", "http://a/4")
    first, second, third = one.takes("a", 3)
    page = Finished(
        first.token,
        children=[offer("http://b/6", found_on="http://a/1"), offer("http://b/7", found_on="http://a/1", priority=9)],
        items=["item"],
        attempts=[Attempt(5.0, "http://a/1", "200", "")],
        refusals=[Refusal("http://c/", "offsite", "c", "http://a/1")],
    )
    failed = Finished(second.token, outcome="failed", reason="HttpError")
    redirected = Request("http://a/33", priority=2)
    attempt = Attempt(6.0, "http://a/3?x=1&y=2", "302", "")
    later = Postponed(third.token, redirected, "a", "http://a:80", time.time() + 60, [attempt])
    facts = {"robots:http://a": {"wall": 1.0, "body": b"x"}, "stats": {"request_depth_max": 3}}
    one.wait(one.store.commit([page, failed], postponed=[later], facts=facts))

    answered = traces.trace(Request("http://a/1"))
    assert answered is not None
    assert (answered.state, answered.items, answered.children, answered.found_on) == ("answered", 1, 2, "")
    assert answered.attempts == [Attempt(5.0, "http://a/1", "200", "")]
    known = traces.trace(Request("http://a/2"))
    assert known is not None
    assert (known.state, known.reason) == ("failed", "HttpError")

    waits = traces.trace(Request("http://a/3?y=2&x=1"))  # counts as the same
    assert waits is not None
    assert (waits.state, waits.url, waits.priority, waits.attempts) == ("queued", "http://a/33", 2, [attempt])

    queued = traces.trace(Request("http://b/7"))
    assert queued is not None
    assert (queued.state, queued.priority, queued.found_on, queued.not_before) == ("queued", 9, "http://a/1", 0.0)
    assert traces.trace(Request("http://b/8")) is None

    [taken] = one.takes("b", 1)
    assert traces.trace(taken.request) == queued

    assert traces.refusals("http://c/") == [Refusal("http://c/", "offsite", "c", "http://a/1")]
    assert traces.refusals("http://a/1") == []
    assert traces.facts("robots:http://a") == {"wall": 1.0, "body": b"x"}
    assert traces.facts("robots:http://b") == {}
    assert traces.deepest() == 3
