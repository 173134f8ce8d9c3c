"""What the functions on the server do with what workers tell them."""

from __future__ import annotations

import random

import pytest

from crawler.errors import LateWorker, StoreError
from crawler.storage.cluster.calls import stage_of
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.reply import Granted, Taken
from crawler.storage.cluster.wire import Change, Claim, Fact, Finish, Move, Put, Stage, Tell, Turn
from tests.cluster.simulated import KEY, LEASE, Job, child

pytestmark = pytest.mark.process


@pytest.fixture
def job(connection: Connection) -> Job:
    return Job(connection)


def put(token: int, host: str = "a", *, priority: int = 0, payload: bytes = b"new", wait: int = 0) -> Put:
    return Put(token, host, priority, payload, wait)


# Calls and their numbers


def test_a_call_that_is_made_again_is_answered_as_it_was(job: Job) -> None:
    worker = job.worker("A")
    worker.start()
    turn = Turn(finishes=[Finish(-1, children=[child(1)], items=[b"item"], count=1)])
    reply = worker.turn(turn)
    assert worker.again(turn) == reply
    state = job.calls.state()
    assert (state.queued, state.items) == (1, 1)


@pytest.mark.parametrize("number", [0, 3, 7])
def test_a_number_that_is_not_the_next_one_is_late(job: Job, number: int) -> None:
    worker = job.worker("A")
    worker.turn()
    with pytest.raises(LateWorker, match="for too long"):
        worker.calls.turn(number, Turn())


def test_rows_of_others_cannot_be_committed(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(child(1))
    (token,) = first.take("a")
    for turn in (
        Turn(finishes=[Finish(token, items=[b"item"])]),
        Turn(posts=[put(token)]),
        Turn(returns=[put(token)]),
        Turn(claims=[Claim(token, 5)]),
        Turn(stages=[Stage(token, [child(9)])]),
        Turn(moves=[Move(token, "b", 0, b"", 0, 9)]),
        Turn(finishes=[Finish(-1, count=1)]),
    ):
        with pytest.raises(LateWorker):
            second.calls.turn(1, turn)
    assert job.calls.state().items == 0
    assert first.turn(Turn(finishes=[Finish(token)])).totals.done == 1


def test_what_is_wrong_in_a_call_changes_nothing(job: Job, connection: Connection) -> None:
    worker = job.worker("A")
    worker.seed(child(1))
    for words in (["tell", 1, "a"], ["what", 1, "a"], ["take", 1, "a", "many"], ["fin", 1, "x"]):
        with pytest.raises(StoreError):
            connection.call(f"{job.name}_turn", KEY, "A", 3, LEASE, "room", 1, 1, *words)
    assert [each.host for each in worker.turn(Turn(room=1)).grants] == ["a"]


# Queues


def test_rows_are_taken_by_priority_and_then_as_they_were_found(job: Job) -> None:
    worker = job.worker("A")
    priorities = [0, 5, -5, 2**53 - 1, 5, -(2**53) + 1, 0]
    worker.seed(*(child(number, priority=priority) for number, priority in enumerate(priorities)))
    grant = worker.turn(Turn(room=1)).grants[0]
    assert (grant.host, grant.queued, grant.first) == ("a", 7, (-(2**53) + 1, 4))
    rows = [row for _ in range(4) for row in worker.turn(Turn(takes=[("a", 2)])).takes[0]]
    assert [row.token for row in rows] == [4, 2, 5, 1, 7, 3, 6]
    assert [row.priority for row in rows] == sorted(priorities, reverse=True)
    assert rows[1].payload == b"page 1"


def test_only_a_held_host_is_taken_from(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(child(1))
    assert second.turn(Turn(takes=[("a", 5)])).takes == [[]]
    assert len(first.take("a")) == 1


def test_a_row_that_goes_back_keeps_its_place(job: Job) -> None:
    worker = job.worker("A")
    worker.seed(child(1), child(2), child(3))
    assert worker.take("a", 2) == [1, 2]
    reply = worker.turn(Turn(returns=[put(1, payload=b"one")]))
    assert [(each.host, each.count, each.first) for each in reply.stored] == [("a", 2, (0, 1))]
    assert worker.turn(Turn(takes=[("a", 5)])).takes[0][0] == Taken(1, 0, 0, b"one")


def test_a_row_that_goes_back_to_wait_is_there_when_its_time_has_come(job: Job) -> None:
    worker = job.worker("A")
    worker.seed(child(1))
    worker.take("a")
    assert worker.turn(Turn(returns=[put(1, wait=5000)])).totals.queued == 1
    assert worker.turn(Turn(takes=[("a", 5)])).takes == [[]]
    job.wait(5000)
    assert worker.turn(Turn()).stored[0].count == 1
    assert len(worker.turn(Turn(takes=[("a", 5)])).takes[0]) == 1


def test_known_requests_are_not_queued_again(job: Job) -> None:
    worker = job.worker("A")
    big = [2**63 - 1, 2**63 - 2, -(2**63), -1, 0]
    children = [child(number) for number in big]
    assert worker.seed(*children, child(-1), child(0, check=False)) == [True] * 5 + [False, True]
    worker.take("a", 1)
    reply = worker.turn(Turn(finishes=[Finish(1, children=[*children, child(7)])]))
    assert reply.finishes[0].new() == [False] * 5 + [True]


def test_many_fingerprints_are_known_in_small_sets(job: Job, connection: Connection) -> None:
    chance = random.Random(1)
    worker = job.worker("A")
    worker.start()
    numbers = [chance.getrandbits(64) - 2**63 for _ in range(6000)]
    for begin in range(0, len(numbers), 1000):
        children = [child(number) for number in numbers[begin : begin + 1000]]
        reply = worker.turn(Turn(finishes=[Finish(-1, children=children)]))
        assert all(reply.finishes[0].new())
    children = [child(number) for number in numbers]
    assert not any(worker.turn(Turn(finishes=[Finish(-1, children=children)])).finishes[0].new())
    buckets = int(connection.command("HGET", f"{KEY}:m", "buckets"))
    sizes = [connection.command("SCARD", f"{KEY}:s:{number}") for number in range(buckets)]
    assert sum(sizes) == job.calls.state().seen == 6000
    assert max(sizes) <= 512
    encodings = {connection.command("OBJECT", "ENCODING", f"{KEY}:s:{number}") for number in range(buckets)}
    assert encodings == {b"intset"}


# Permits


def test_a_host_has_one_owner_as_long_as_nothing_is_known_of_it(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(child(1), child(2))
    assert [each.host for each in first.turn(Turn(room=3)).grants] == ["a"]
    reply = second.turn(Turn(room=3))
    assert (reply.grants, reply.begin) == ([], None)
    first.turn(Turn(holds=[("a", 0)]))
    assert [each.host for each in second.turn(Turn(room=3)).grants] == ["a"]


def test_the_permits_of_a_shared_host_are_its_concurrency_at_most(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(*map(child, range(20)))
    first.turn(Turn(room=1))
    first.turn(Turn(tells=[Tell("a", 0, True, 8, 0)]))
    assert second.turn(Turn(room=1)).grants == []
    job.wait(1000)
    second.turn(Turn(room=1))
    assert first.turn(Turn()).asks == [("a", 4)]
    assert second.turn(Turn(room=1)).grants == []
    first.turn(Turn(holds=[("a", 5)]))
    assert [each.permits for each in second.turn(Turn(room=1)).grants] == [3]
    first.turn(Turn(holds=[("a", 4)]))
    assert [each.permits for each in second.turn(Turn(room=1)).grants] == [4]


def test_a_shared_host_that_must_slow_down_is_one_workers_again(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(*map(child, range(20)))
    first.turn(Turn(room=1))
    first.turn(Turn(tells=[Tell("a", 0, True, 8, 0)], holds=[("a", 4)]))
    assert [each.permits for each in second.turn(Turn(room=1)).grants] == [4]
    first.turn(Turn(tells=[Tell("a", 2000, False, 8, 500)]))
    reply = second.turn(Turn(tells=[Tell("a", 0, True, 8, 0)]))
    assert reply.asks == [("a", 0)]
    second.turn(Turn(tells=[Tell("a", 0, True, 8, 0)], holds=[("a", 0)]))
    third = job.worker("C")
    assert third.turn(Turn(room=1)).grants == []
    grant = first.turn(Turn(tells=[Tell("a", 2000, False, 8, 500)])).grants[0]
    assert (grant.permits, grant.wait) == (1_000_000, 2000)


def test_who_waits_for_a_host_gets_it_before_others(job: Job) -> None:
    first, second, third = (job.worker(name) for name in "ABC")
    first.seed(child(1), child(2))
    first.turn(Turn(room=1))
    job.wait(1000)
    assert second.turn(Turn(wants=["a"])).grants == []
    assert first.turn(Turn()).asks == [("a", 0)]
    first.turn(Turn(holds=[("a", 0)]))
    assert third.turn(Turn(room=5)).grants == []
    assert third.turn(Turn(wants=["a"])).grants == []
    assert [each.host for each in second.turn(Turn(wants=["a"])).grants] == ["a"]


def test_a_host_is_not_kept_for_who_waits_no_more(job: Job) -> None:
    first, second, third = (job.worker(name) for name in "ABC")
    first.seed(child(1), child(2))
    first.turn(Turn(room=1))
    second.turn(Turn(wants=["a"]))
    first.turn(Turn(holds=[("a", 0)]))
    second.turn(Turn())  # only renews
    assert third.turn(Turn(room=5)).grants == []
    second.turn(Turn(wants=["b"]))
    assert [each.host for each in third.turn(Turn(room=5)).grants] == ["a"]


def test_a_host_that_was_just_given_out_is_not_asked_back(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(child(1), child(2))
    first.turn(Turn(room=1))
    second.turn(Turn(wants=["a"]))
    assert first.turn(Turn()).asks == []
    job.wait(1000)
    second.turn(Turn(wants=["a"]))
    assert first.turn(Turn()).asks == [("a", 0)]


def test_what_was_told_of_a_host_goes_to_its_next_owner(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(child(1))
    first.turn(Turn(room=1))
    first.turn(
        Turn(
            tells=[Tell("a", 900, False, 1, 2000)],
            facts=[
                Fact("robots:http://a", b"rules", "a"),
                Fact("throttle:a", b"slow", "a"),
                Fact("robots:b", b"", "a"),
            ],
            holds=[("a", 0)],
        )
    )
    reply = second.turn(Turn(room=1))
    assert reply.grants == [Granted("a", 1_000_000, 900, 1, (0, 1))]
    assert dict(reply.facts) == {"robots:http://a": b"rules", "throttle:a": b"slow"}


def test_a_host_is_given_out_when_it_is_nearly_due(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(child(1))
    first.turn(Turn(room=1))
    first.turn(Turn(tells=[Tell("a", 5000, False, 1, 5000)], holds=[("a", 0)]))
    assert second.turn(Turn(room=1)).grants == []
    job.wait(4100)
    assert [(each.host, each.wait) for each in second.turn(Turn(room=1)).grants] == [("a", 900)]


def test_others_are_told_of_what_they_find_for_a_held_host(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(child(1, "a"), child(2, "b"))
    first.turn(Turn(wants=["a"]))
    (token,) = second.take("b")
    second.turn(Turn(finishes=[Finish(token, children=[child(3, "a", priority=2), child(4, "a")])]))
    assert [(each.host, each.count, each.first) for each in first.turn().stored] == [("a", 3, (-2, 3))]
    assert first.turn().stored == []


# Death


def test_a_worker_whose_lease_is_over_is_late_and_its_rows_go_back(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(child(1), child(2))
    first.take("a", 1)
    job.wait(LEASE + 1000)
    second.number = 0
    with pytest.raises(LateWorker):
        first.turn(Turn(finishes=[Finish(1)]))
    third = job.worker("C")
    assert len(third.take("a")) == 2
    assert third.turn(Turn(finishes=[Finish(1), Finish(2)])).totals.done == 2


def test_who_may_have_sent_until_its_end_is_counted_as_if_it_had(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(child(1), child(2))
    first.turn(Turn(room=1))
    first.turn(Turn(tells=[Tell("a", 0, False, 1, 4000)]))
    job.wait(500)
    job.calls.bury("A")
    assert second.turn(Turn(room=1)).grants == []
    assert [each.wait for each in second.turn(Turn(wants=["a"])).grants] == [4000]


def test_who_may_have_sent_before_it_told_anything_is_counted_as_if_it_had(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    wanted = Turn(wants=["a"], tells=[Tell("a", 0, False, 1, 4000)])  # something without a row waits for it
    assert [each.wait for each in first.turn(wanted).grants] == [0]
    job.wait(500)
    job.calls.bury("A")
    assert [each.wait for each in second.turn(wanted).grants] == [4000]


def test_how_a_host_would_be_asked_does_not_undo_what_its_owner_has_told(job: Job) -> None:
    first, second, third = job.worker("A"), job.worker("B"), job.worker("C")
    first.turn(Turn(wants=["a"]))
    first.turn(Turn(tells=[Tell("a", 0, False, 1, 7000)]))
    second.turn(Turn(wants=["a"], tells=[Tell("a", 0, False, 1, 4000)]))
    job.calls.bury("A")
    second.turn(Turn(leave=True))
    assert [each.wait for each in third.turn(Turn(wants=["a"])).grants] == [7000]


def test_only_the_request_that_is_to_blame_is_charged_with_a_death(job: Job) -> None:
    second = job.worker("B")
    second.seed(child(1), child(2))
    for death in range(1, 4):
        worker = job.worker(f"A{death}")
        tokens = worker.take("a")
        assert tokens == [1, 2]
        job.calls.bury(f"A{death}", 2)
        job.calls.bury(f"A{death}", 2)  # the answer was lost
        second.turn(Turn(wants=["a"]))
        rows = second.turn(Turn(takes=[("a", 5)])).takes[0]
        assert [row.deaths for row in rows] == [0, death]
        rest = [put(row.token, payload=row.payload) for row in rows]
        second.turn(Turn(returns=rest, holds=[("a", 0)]))


def test_a_row_that_waits_still_waits_when_its_worker_is_dead(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(child(1), child(2))
    first.take("a")
    first.turn(Turn(posts=[put(1, priority=3, payload=b"retry", wait=3000)]))
    job.calls.bury("A")
    assert second.take("a") == [2]
    job.wait(3000)
    row = second.turn(Turn(takes=[("a", 1)])).takes[0][0]
    assert (row.token, row.priority, row.payload) == (1, 3, b"retry")


def test_a_worker_with_many_rows_is_buried_in_several_calls(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(*map(child, range(2500)))
    assert len(first.take("a", 2500)) == 2500
    job.calls.bury("A")
    assert job.calls.state().queued == 2000  # the burial has moved a slice, and the look another one
    for _ in range(2):
        second.turn()
    state = job.calls.state()
    assert (state.queued, state.taken, state.workers) == (2500, 0, 1)


def test_who_leaves_gives_everything_back_and_is_heard_once(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(child(1), child(2), ended=False)
    first.take("a")
    leaving = Turn(finishes=[Finish(1, items=[b"item"])], tells=[Tell("a", 0, False, 1, 3000)], leave=True)
    reply = first.turn(leaving)
    assert first.again(leaving) == reply
    with pytest.raises(LateWorker):
        first.turn()
    reply = second.turn(Turn(room=1))
    assert (reply.totals.workers, reply.totals.items) == (1, 1)
    assert [(each.host, each.queued, each.wait) for each in reply.grants] == [("a", 1, 0)]
    assert reply.begin is not None


# start()


def test_start_has_one_owner_and_goes_on_elsewhere(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    begin = first.start()
    assert (begin.count, begin.digests) == (0, [])
    assert second.turn(Turn(room=1)).begin is None
    first.turn(Turn(finishes=[Finish(-1, children=[child(1)], count=1, digests=[-(2**63)])]))
    first.turn(Turn(finishes=[Finish(-1, items=[b"item"], count=2, digests=[2**63 - 1])]))
    job.calls.bury("A")
    begin = second.start()
    assert (begin.count, begin.digests) == (2, [str(-(2**63)), str(2**63 - 1)])
    second.turn(Turn(finishes=[Finish(-1, count=2, ended=True)]))
    assert job.worker("C").turn(Turn(room=1)).begin is None


# Claims, redirects, staged children


def test_a_claim_keeps_others_from_a_request_until_it_is_settled(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(child(1, "a"), child(2, "b"))
    (one,) = first.take("a")
    (two,) = second.take("b")
    assert first.turn(Turn(claims=[Claim(one, 50), Claim(one, 50), Claim(one, 1), Claim(one, 51)])).claims == "1001"
    assert second.turn(Turn(claims=[Claim(two, 50)])).claims == "0"
    assert second.turn(Turn(moves=[Move(two, "c", 0, b"", 0, 51)])).moves == ["duplicate"]
    first.turn(Turn(finishes=[Finish(one, fingerprints=[50, 51])]))
    assert second.turn(Turn(claims=[Claim(two, 50)])).claims == "0"


def test_the_claims_of_the_dead_are_free_and_links_that_they_kept_are_not_lost(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(child(1, "a"), child(2, "b"))
    (one,) = first.take("a")
    (two,) = second.take("b")
    first.turn(Turn(claims=[Claim(one, 50), Claim(one, 51)]))
    assert second.turn(Turn(finishes=[Finish(two, children=[child(50, "c")])])).finishes[0].new() == [False]
    job.calls.bury("A")
    assert second.take("c") == [3]
    (one,) = second.take("a")
    assert second.turn(Turn(claims=[Claim(one, 50), Claim(one, 51)])).claims == "01"


def test_the_claims_of_a_row_that_goes_back_are_free(job: Job) -> None:
    worker = job.worker("A")
    worker.seed(child(1))
    worker.take("a")
    worker.turn(Turn(claims=[Claim(1, 50)]))
    worker.turn(Turn(returns=[put(1)]))
    worker.take("a")
    assert worker.turn(Turn(claims=[Claim(1, 50)])).claims == "1"


def test_a_redirect_stays_at_a_held_host_and_goes_to_others(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(child(1, "a"), child(2, "a"), child(3, "a"))
    first.take("a")
    moves = [
        Move(1, "a", 0, b"here", 0, 61),
        Move(2, "b", 7, b"there", 0, 62),
        Move(3, "b", 0, b"", 0, 61),
    ]
    assert first.turn(Turn(moves=moves)).moves == ["here", "elsewhere", "duplicate"]
    second.turn(Turn(room=1))
    assert second.turn(Turn(takes=[("b", 5)])).takes == [[Taken(2, 7, 0, b"there")]]
    assert first.turn(Turn(finishes=[Finish(1), Finish(3)])).totals.taken == 1


def test_staged_children_are_queued_after_the_commit_ahead_of_its_own(job: Job) -> None:
    worker = job.worker("A")
    worker.seed(child(1))
    worker.take("a")
    staged = [child(number) for number in range(100, 2600)]
    worker.turn(Turn(stages=[Stage(1, staged[:2000])]))
    assert worker.turn(Turn(stages=[Stage(1, staged[2000:])])).totals.queued == 0
    reply = worker.turn(Turn(finishes=[Finish(1, children=[child(5), child(1)])]))
    assert reply.finishes[0].new() == [True, False]
    assert reply.totals.queued == 1001
    assert reply.over == ""
    worker.turn()
    assert worker.turn().totals.queued == 2501
    rows = worker.turn(Turn(takes=[("a", 2501)])).takes[0]
    assert [row.payload for row in rows] == [b"page %d" % number for number in [*range(100, 2600), 5]]


def test_staged_children_of_the_dead_are_gone(job: Job, connection: Connection) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(child(1), child(2))
    first.take("a")
    first.turn(Turn(stages=[Stage(1, [child(7)]), Stage(2, [child(8)])]))
    first.turn(Turn(returns=[put(2)]))
    job.calls.bury("A")
    second.take("a")
    second.turn(Turn(finishes=[Finish(1), Finish(2)]))
    assert second.turn().over == "finished"
    assert not [key for key in connection.command("KEYS", f"{KEY}:*") if b":sg:" in key or b":u:" in key]


# Items and feeds


def test_items_are_pulled_in_order_and_gone_when_all_feeds_have_them(connection: Connection) -> None:
    job = Job(connection, feeds=("one", "two"))
    worker = job.worker("A")
    worker.start()
    worker.turn(Turn(finishes=[Finish(-1, items=[b"i%d" % number for number in range(5)], ended=True)]))
    pulled = job.calls.outbox(0, 3)
    assert pulled.rows == [(1, b"i0"), (2, b"i1"), (3, b"i2")]
    assert job.calls.outbox(3, 10).rows == [(4, b"i3"), (5, b"i4")]
    assert job.calls.fed(pulled.run, "one", 5, b"m5", b"")
    assert job.calls.state().backlog == 10
    assert job.calls.fed(pulled.run, "two", 3, b"m3", b"")
    assert job.calls.fed(pulled.run, "two", 3, b"m3", b"")  # the answer was lost
    assert job.calls.outbox(0, 10).rows == [(4, b"i3"), (5, b"i4")]
    assert worker.turn().over == ""
    assert job.calls.fed(pulled.run, "two", 5, b"m5", b"m3")
    assert job.calls.state().over == worker.turn().over == "finished"
    assert job.calls.create(["one", "two"]).marks == [("one", b"m5"), ("two", b"m5")]


def test_a_mark_is_refused_that_another_state_of_the_server_does_not_know(connection: Connection) -> None:
    job = Job(connection, feeds=("one",))
    worker = job.worker("A")
    worker.start()
    worker.turn(Turn(finishes=[Finish(-1, items=[b"i0", b"i1"])]))
    run = job.calls.outbox(0, 3).run
    assert not job.calls.fed(run, "one", 2, b"m2", b"m1")
    assert not job.calls.fed(run, "one", 3, b"m3", b"")
    job.set_run("second")
    assert not job.calls.fed(run, "one", 2, b"m2", b"")
    assert job.calls.fed("second", "one", 2, b"m2", b"")


def test_items_are_counted_and_not_kept_where_no_feed_is(job: Job) -> None:
    worker = job.worker("A")
    worker.start()
    worker.turn(Turn(finishes=[Finish(-1, items=[b"i0", b"i1"], ended=True)]))
    assert job.calls.outbox(0, 3).rows == []
    assert worker.turn().over == "finished"
    assert job.calls.state().items == 2


def test_an_item_whose_key_another_worker_has_added_is_left_out(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(child(1, "a"), child(2, "b"))
    first.take("a")
    second.take("b")
    first.turn(Turn(finishes=[Finish(1, items=[b"i"], memory=[Change("Dup", "seen", "add", b"k", b"", 0)])]))
    changes = [
        Change("Dup", "seen", "add", b"new", b"", 0),
        Change("Dup", "seen", "add", b"k", b"", 1),
        Change("Dup", "price", "set", b"k", b"2", 1),
        Change("Dup", "seen", "add", b"new", b"", 2),
        Change("Dup", "price", "set", b"all", b"3", -1),
    ]
    reply = second.turn(Turn(finishes=[Finish(2, items=[b"0", b"1", b"2"], memory=changes)]))
    assert (reply.finishes[0].first_item, reply.finishes[0].dropped) == (2, [1, 2])
    assert reply.totals.items == 2
    joined = job.worker("C").joined
    memory = {stage_of(name): second.calls.memory(name) for name in joined.stages}
    assert memory == {("Dup", "seen"): {b"k": b"", b"new": b""}, ("Dup", "price"): {b"all": b"3"}}


# Facts


def test_cookies_are_told_to_all_others_once(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    reply = first.turn(Turn(facts=[Fact("cookie:a", b"1"), Fact("cookie:b", b"2")]))
    assert reply.facts == []
    assert sorted(second.turn().facts) == [("cookie:a", b"1"), ("cookie:b", b"2")]
    assert second.turn().facts == []
    second.turn(Turn(facts=[Fact("cookie:a", b"")]))
    assert first.turn().facts == [("cookie:a", None)]
    assert dict(job.worker("C").joined.facts) == {"cookie:a": None, "cookie:b": b"2"}


def test_other_facts_are_told_to_who_asks(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.turn(Turn(facts=[Fact("robots:a", b"x", "a"), Fact("robots:b", b"y", "b")]))
    first.turn(Turn(facts=[Fact("robots:b", b"", "b")]))
    assert second.turn(Turn(knows=["robots:a", "robots:b"])).facts == [("robots:a", b"x"), ("robots:b", None)]


def test_each_worker_has_stats_of_its_own(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.turn(Turn(facts=[Fact("stats", b"1"), Fact("errors", b"e")]))
    first.turn(Turn(facts=[Fact("stats", b"2")]))
    second.turn(Turn(facts=[Fact("stats", b"3")]))
    job.calls.bury("A")
    state = job.calls.state()
    assert sorted((each.called, bool(each.alive), each.value) for each in state.stats) == [
        ("a", False, b"2"),
        ("b", True, b"3"),
    ]
    assert [each.value for each in state.errors] == [b"e"]


# Time, and servers that come back


def test_a_step_of_the_servers_clock_ends_no_lease(job: Job) -> None:
    worker = job.worker("A")
    for step in (3_600_000, -7_200_000, 4_000):
        job.now += step
        job.set_time()
        assert job.calls.state().workers == 1
    worker.turn()


def test_after_a_restart_no_host_is_given_out_before_all_have_called(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(child(1))
    job.set_run("second")
    assert second.turn(Turn(room=1)).grants == []
    first.turn()
    assert second.turn(Turn(room=1)).grants == []  # one that is not known here may still send
    seconds = 0
    while not (grants := second.turn(Turn(room=1)).grants):
        seconds += 1
        job.wait(1000)
        first.turn()
    assert ([each.host for each in grants], seconds) == (["a"], 15)


def test_a_job_that_nobody_worked_on_goes_on_at_once_after_a_restart(job: Job) -> None:
    first = job.worker("A")
    first.seed(child(1))
    first.turn(Turn(leave=True))
    job.set_run("second")
    assert [each.host for each in job.worker("B").turn(Turn(room=1)).grants] == ["a"]


# The end


def test_a_crawl_is_over_when_nothing_is_left_anywhere(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    assert first.turn().over == ""
    first.seed(child(1), child(2))
    first.take("a", 1)
    assert second.turn().over == ""
    assert first.turn(Turn(finishes=[Finish(1)])).over == ""
    first.take("a", 1)
    assert first.turn(Turn(returns=[put(2, wait=2000)])).over == ""
    job.wait(2000)
    first.take("a", 1)
    assert first.turn(Turn(finishes=[Finish(2, outcome="failed", reason="timeout")])).over == "finished"
    assert second.turn(Turn(room=1)).over == "finished"
    state = job.calls.state()
    assert (state.over, state.done, state.failed) == ("finished", 2, 1)


def test_the_owner_of_start_is_told_when_nothing_but_start_is_left(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.start()
    assert (first.turn().over, second.turn().over) == ("idle", "")
    first.turn(Turn(finishes=[Finish(-1, children=[child(1)], count=1)]))
    assert first.turn().over == ""
    second.take("a", 1)
    assert first.turn().over == ""
    second.turn(Turn(finishes=[Finish(1)]))
    assert first.turn().over == "idle"
    assert first.turn(Turn(finishes=[Finish(-1, count=1, ended=True)])).over == "finished"


def test_all_are_told_to_stop_and_nothing_new_is_given_out(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(child(1))
    first.turn(Turn(stop="closespider_itemcount"))
    job.calls.stop("shutdown")
    reply = second.turn(Turn(room=1))
    assert (reply.stopping, reply.grants, reply.over) == ("closespider_itemcount", [], "")
    job.calls.finish("closespider_itemcount")
    state = job.calls.state()
    assert (state.stopping, state.stopped) == ("closespider_itemcount", "closespider_itemcount")
    job.calls.create([])
    assert [each.host for each in second.turn(Turn(room=1)).grants] == ["a"]


def test_workers_with_nothing_to_do_are_known_to_the_others(job: Job) -> None:
    first, second = job.worker("A"), job.worker("B")
    first.seed(child(1))
    first.take("a")
    assert second.turn(Turn(room=1)).hungry == 0
    assert first.turn().hungry == 1
    job.wait(3000)
    assert first.turn().hungry == 0


def test_a_full_server_refuses_commits_and_lets_rows_go_back(connection: Connection) -> None:
    job = Job(connection, feeds=("one",))
    worker = job.worker("A")
    worker.seed(child(1), child(2))
    worker.take("a")
    turn = Turn(
        posts=[put(1, wait=9)],
        returns=[put(2)],
        finishes=[Finish(1, items=[b"item"])],
        tells=[Tell("a", 7, False, 1, 9)],
    )
    connection.command("CONFIG", "SET", "maxmemory", "1")
    try:
        reply = worker.turn(turn)
        assert (reply.full, reply.finishes, reply.totals.queued, reply.totals.taken) == (True, [], 1, 1)
        assert worker.again(turn) == reply
        job.calls.bury("nobody")
    finally:
        connection.command("CONFIG", "SET", "maxmemory", "0")
    assert worker.turn(Turn(finishes=[Finish(1, items=[b"item"])])).totals.items == 1


def test_the_newest_of_a_host_goes_first_where_it_is_told_so(job: Job) -> None:
    """And those of start() behind them, as they were found; a row that goes back keeps its place."""
    worker = job.worker("A")
    worker.start()
    starts = [child(number, check=5) for number in (1, 2)]
    worker.turn(Turn(finishes=[Finish(-1, children=starts)]))
    worker.turn(Turn(room=1))
    [first] = worker.turn(Turn(takes=[("a", 1)])).takes[0]
    assert first.token == 1
    newer = [child(number, check=3) for number in (3, 4)]
    worker.turn(Turn(stages=[Stage(1, newer[:1])], finishes=[Finish(1, children=newer[1:])]))
    worker.turn()
    rows = worker.turn(Turn(takes=[("a", 9)])).takes[0]
    assert [row.payload for row in rows] == [b"page 4", b"page 3", b"page 2"]
    assert [row.token for row in rows] == [4, 3, 2]
    worker.turn(Turn(returns=[put(row.token, payload=row.payload) for row in rows]))
    assert [row.token for row in worker.turn(Turn(takes=[("a", 9)])).takes[0]] == [4, 3, 2]
