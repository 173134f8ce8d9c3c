"""Does a worker's store keep its contract, on a real server?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crawler.errors import LateWorker, LostWorkers, StoreError
from crawler.frontier.store import ELSEWHERE, START, Finished, MemoryChange, Postponed, Told
from crawler.model.request import Request
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.private import PrivateServer
from crawler.storage.cluster.waiting import MOST_CHILDREN
from tests.cluster.worker import Worker, Workers
from tests.storage.support import offer

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


def test_what_has_no_row_may_come_from_any_worker(workers: Workers) -> None:
    one, two = workers.worker(), workers.worker()
    one.starts("http://a/", ended=False)
    [answer] = two.wait(two.store.commit([Finished(START, children=[offer("http://b/")], start_digests=[2**64 - 1])]))
    assert answer.admitted == [ELSEWHERE]
    with pytest.raises(LateWorker):  # but not what another one's start() delivers
        two.wait(two.store.commit([Finished(START, start_count=2)]))


def test_each_result_of_start_decides_on_its_own_claims(workers: Workers) -> None:
    one = workers.worker()
    workers.until(lambda: one.holder.was_told("start"))
    assert one.wait(one.store.claim(START, [1, 2, 2**64 - 1])) == [True] * 3
    one.wait(one.store.commit([Finished(START, start_count=1, fingerprints=[2**64 - 1])]))
    one.wait(one.store.finish(ended=False, reason="test"))
    two = workers.worker()
    assert two.wait(two.store.claim(START, [1, 2, 2**64 - 1])) == [True, True, False]


def test_a_wrong_token_changes_nothing(workers: Workers) -> None:
    one = workers.worker()
    one.starts("http://a/1", "http://a/2")
    first, second = one.takes("a")
    for wrong in ([Finished(first.token)] * 2, [Finished(first.token), Finished(999)]):
        with pytest.raises(StoreError, match="not this worker's, or finished twice"):
            one.wait(one.store.commit(wrong))
    one.wait(one.store.commit([Finished(first.token), Finished(second.token)]))
    with pytest.raises(StoreError):
        one.wait(one.store.redirect(Postponed(first.token, first.request, "a", "http://a:80", 0.0), 5))


def test_a_retry_goes_to_the_next_owner_in_its_new_form(workers: Workers) -> None:
    one, two = workers.worker(), workers.worker()
    one.starts("http://a/1", meta={"depth": 3}, callback=workers.spider.parse_book)
    [entry] = one.takes("a")
    entry.request = entry.request.replace(url="http://a/again", priority=7)
    one.wait(one.store.commit([], postponed=[Postponed(entry.token, entry.request, "a", "http://a:80", 0.0)]))
    one.gives_up("a", entry)
    [moved] = two.takes("a")
    assert (moved.token, moved.request.url, moved.request.priority) == (entry.token, "http://a/again", 7)
    assert moved.request.meta == {"depth": 3}
    assert moved.request.callback == workers.spider.parse_book
    two.wait(two.store.commit([Finished(moved.token)]))
    one.wait(
        one.store.commit([], postponed=[Postponed(entry.token, entry.request, "a", "http://a:80", 0.0)])
    )  # too late


def test_the_next_owner_of_a_host_keeps_its_delay(workers: Workers) -> None:
    one, two = workers.worker(), workers.worker()
    one.starts("http://a/1", "http://a/2")
    [first, second] = one.takes("a")
    one.wait(
        one.store.commit([Finished(first.token)], facts={"throttle:a": [1.5], "robots:http://a:80": {"body": b"x"}})
    )
    one.gives_up("a", second, wait=0.9)
    workers.until(lambda: "a" in two.holder.grants)
    assert 0.0 < two.holder.grants["a"].wait <= 0.91
    assert two.holder.grants["a"].queued == 1
    assert two.holder.facts == {"throttle:a": [1.5], "robots:http://a:80": {"body": b"x"}}


def test_a_redirect_stays_goes_or_is_a_duplicate(workers: Workers) -> None:
    one = workers.worker()
    one.starts("http://a/1", "http://a/2", "http://a/3", "http://b/")
    first, second, third = one.takes("a")
    one.holder.room = 0

    def redirected(token: int, url: str) -> str:
        target = offer(url)
        postponed = Postponed(token, target.request, target.host, target.origin, 0.0)
        became: str = one.wait(one.store.redirect(postponed, target.fingerprint))
        return became

    assert redirected(first.token, "http://a/new") == "here"
    assert redirected(second.token, "http://a/new") == "duplicate"
    assert redirected(second.token, "http://c/elsewhere") == "elsewhere"
    one.wait(one.store.commit([Finished(first.token), Finished(third.token)]))
    with pytest.raises(StoreError):
        one.wait(one.store.commit([Finished(second.token)]))
    two = workers.worker()
    [moved] = two.takes("c")
    assert (moved.token, moved.request.url) == (second.token, "http://c/elsewhere")


def test_a_commit_of_many_children_is_told_in_parts(workers: Workers) -> None:
    one = workers.worker()
    one.starts("http://a/1", "http://a/2", "http://a/3")
    entries = one.takes("a")
    finished = [
        Finished(entry.token, children=[offer(f"http://b/{entry.token}/{number}") for number in range(900)])
        for entry in entries
    ]
    answers = one.wait(one.store.commit(finished, facts={"cookie:x": "y"}))
    assert [len(answer.admitted) for answer in answers] == [900] * 3
    assert {each for answer in answers for each in answer.admitted} == {ELSEWHERE}
    assert workers.job.state().queued == 2700


def test_staged_children_are_queued_behind_their_commit(workers: Workers) -> None:
    one = workers.worker()
    one.starts("http://a/1")
    [entry] = one.takes("a")
    links = [offer(f"http://b/{number}") for number in range(MOST_CHILDREN + 500)]
    one.wait(one.store.stage(entry.token, links[:MOST_CHILDREN]))
    one.wait(one.store.stage(entry.token, links[MOST_CHILDREN:]))
    assert workers.job.state().queued == 0
    one.wait(one.store.commit([Finished(entry.token, children=[offer("http://b/last")])]))
    workers.until(lambda: workers.job.state().queued == MOST_CHILDREN + 501)
    assert one.takes("b", 1)[0].request.url == "http://b/0"


def test_others_learn_a_cookie_and_who_joins_finds_it(workers: Workers) -> None:
    one, two = workers.worker(), workers.worker()
    workers.until(lambda: one.holder.was_told("start") or two.holder.was_told("start"))
    one.wait(one.store.commit([], facts={"cookie:a": {"name": "session"}, "stats": {"n": 1}}))
    workers.until(lambda: two.holder.facts == {"cookie:a": {"name": "session"}})
    two.wait(two.store.commit([], facts={"cookie:a": None}))
    workers.until(lambda: one.holder.facts == {"cookie:a": None})
    one.wait(one.store.commit([], facts={"cookie:b": 1}))
    three = workers.worker()
    assert three.resumed.facts["cookie:b"] == 1
    assert "stats" not in three.resumed.facts


def test_an_item_that_others_have_remembered_is_left_out(workers: Workers) -> None:
    one = workers.worker()
    one.starts("http://a/1", "http://a/2")
    first, second = one.takes("a")

    def seen(key: str, item: int) -> MemoryChange:
        return MemoryChange("Stage", "seen", "add", key, None, item)

    one.wait(one.store.commit([Finished(first.token, items=["x"], memory=[seen("x", 0)])]))
    result = Finished(second.token, items=["x", "y"], memory=[seen("x", 0), seen("y", 1)])
    [answer] = one.wait(one.store.commit([result]))
    assert answer.dropped == [0]
    assert workers.items() == ["x", "y"]
    assert workers.worker().resumed.memory == {("Stage", "seen"): {"x": None, "y": None}}


def test_a_page_that_kills_five_workers_fails_with_its_errback_and_then_without(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    one = workers.worker()
    one.starts("http://a/deadly", "http://a/2")
    token = one.takes("a")[0].token
    one.wait(one.store.finish(ended=False, reason="test"))

    def dies(worker: Worker) -> None:
        workers.job.bury(worker.identity, token)
        workers.until(lambda: worker.holder.was_told("lost"))

    for _ in range(5):
        worker = workers.worker()
        assert worker.takes("a")[0].token == token
        dies(worker)
    sixth = workers.worker()
    assert [entry.request.url for entry in sixth.takes("a")] == ["http://a/2"]
    [(entry, error)] = [heard[1:] for heard in sixth.holder.heard if heard[0] == "doomed"]
    assert (entry.request.url, type(error)) == ("http://a/deadly", LostWorkers)
    assert str(error) == "its callback was running when 5 workers died"
    assert workers.job.state().failed == 0  # not before its errback has ended
    dies(sixth)
    last = workers.worker()
    assert [entry.request.url for entry in last.takes("a")] == ["http://a/2"]
    assert not last.holder.was_told("doomed")
    assert "http://a/deadly failed: its callback was running when 6 workers died" in caplog.text
    workers.until(lambda: workers.job.state().failed == 1)
    assert workers.job.state().done == 1


def test_all_are_told_to_stop(workers: Workers) -> None:
    one, two = workers.worker(), workers.worker()
    one.store.stop("enough")
    workers.until(lambda: ("stop", "enough") in two.holder.heard and ("stop", "enough") in one.holder.heard)


def test_a_worker_that_was_buried_is_late(workers: Workers) -> None:
    one = workers.worker()
    one.starts("http://a/1")
    [entry] = one.takes("a")
    workers.job.bury(one.identity)
    with pytest.raises(LateWorker):
        one.wait(one.store.commit([Finished(entry.token, items=[1])]))
    [lost] = [heard[1] for heard in one.holder.heard if heard[0] == "lost"]
    assert isinstance(lost, LateWorker)
    with pytest.raises(LateWorker):
        one.wait(one.store.claim(START, [1]))
    two = workers.worker()
    assert [taken.token for taken in two.takes("a")] == [entry.token]
    assert workers.items() == []


def test_what_a_worker_has_goes_back_when_it_leaves(workers: Workers) -> None:
    one = workers.worker()
    one.starts("http://a/1")
    [entry] = one.takes("a")
    one.wait(one.store.finish(ended=False, reason="shutdown"))
    one.wait(one.store.finish(ended=False, reason="shutdown"))
    assert not one.holder.was_told("lost")
    assert [taken.token for taken in workers.worker().takes("a")] == [entry.token]


def test_what_has_no_stored_form_is_carried(workers: Workers) -> None:
    store = workers.worker().store
    assert store.can_store(Request("http://a/"))
    assert not store.can_store(Request("http://a/", callback=lambda response: None))
    assert not store.can_store(Request("http://a/", priority=2**53))


def test_what_a_worker_lets_go_of_a_host_is_for_one_that_has_nothing(workers: Workers) -> None:
    one, two = workers.worker(), workers.worker()
    one.starts(*(f"http://a/{number}" for number in range(40)))
    one.takes("a", 2)
    one.tells(told=[Told("a", 0.0, True, 8, 0.0)], room=4)
    workers.until(lambda: ("asked", "a", 4) in one.holder.heard)
    one.tells(held=[("a", 4)], room=4)
    workers.until(lambda: "a" in two.holder.grants)
    assert two.holder.grants["a"].permits == 4
    assert one.holder.grants["a"].permits != 8
