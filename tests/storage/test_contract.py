"""Do all stores keep the contract of crawler/frontier/store.py?"""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.errors import StoreError
from crawler.frontier.store import START, Finished, Postponed
from crawler.model.request import Request
from crawler.storage import commit
from tests.storage.support import Stores, begin, offer


def test_a_new_store_has_nothing(stores: Stores) -> None:
    store = stores.make()
    resumed = stores.wait(store.open())
    assert resumed.is_new
    assert (resumed.queued, resumed.done, resumed.accepted, resumed.items) == ({}, 0, 0, 0)
    assert not resumed.start_ended


def test_new_children_are_admitted_in_order_and_duplicates_are_not(stores: Stores) -> None:
    store = stores.open()
    children = [offer("http://a/1"), offer("http://b/2", priority=3), offer("http://a/1"), offer("http://a/1#x")]
    [answer] = stores.wait(store.commit([Finished(START, children=children)]))
    first, second, *rest = answer.admitted
    assert rest == [None, None]
    assert (first.request, first.host, first.origin) == (children[0].request, "a", "http://a:80")
    assert first.token > 0
    assert first.order < second.order
    assert second.key == (-3, second.order)
    assert not first.carried
    assert begin(stores, store, "http://a/1", "http://a/3")[0] is None


def test_dont_filter_is_admitted_and_registers(stores: Stores) -> None:
    store = stores.open()
    assert None not in begin(stores, store, "http://a/1", "http://a/1", check=False)
    assert begin(stores, store, "http://a/1") == [None]


def test_all_fingerprints_from_0_to_the_highest_fit(stores: Stores) -> None:
    store = stores.open()
    numbers = [0, 1, 2**63 - 1, 2**63, 2**64 - 1]
    children = [offer(f"http://a/{number}", number=number) for number in numbers]
    [answer] = stores.wait(store.commit([Finished(START, children=children)]))
    assert None not in answer.admitted
    assert stores.wait(store.claim(START, [*numbers, 7])) == [False] * 5 + [True]


def test_seen_registers_nothing(stores: Stores) -> None:
    store = stores.open()
    probe = offer("http://a/1")
    assert stores.wait(store.claim(START, [])) == []
    assert stores.wait(store.claim(START, [probe.fingerprint])) == [True]
    assert stores.wait(store.claim(START, [probe.fingerprint])) == [True]
    begin(stores, store, "http://a/1")
    assert stores.wait(store.claim(START, [5, probe.fingerprint])) == [True, False]


def test_fingerprints_of_carried_requests_are_registered_with_their_parent(stores: Stores) -> None:
    store = stores.open()
    [entry] = begin(stores, store, "http://a/")
    carried = offer("http://a/carried")
    stores.wait(store.commit([Finished(entry.token, fingerprints=[carried.fingerprint])]))
    assert begin(stores, store, "http://a/carried") == [None]


def test_items_are_numbered_from_1_over_the_whole_job(stores: Stores) -> None:
    store = stores.open()
    stores.wait(store.feeds(["out.jl"]))
    entries = begin(stores, store, "http://a/1", "http://a/2", "http://a/3")
    results = [Finished(entry.token, items=[{"n": 1}] * count) for entry, count in zip(entries, (2, 0, 3), strict=True)]
    answers = stores.wait(store.commit(results))
    assert [answer.first_item for answer in answers] == [1, 3, 3]
    [answer] = stores.wait(store.commit([Finished(START, items=["x"])]))
    assert answer.first_item == 6


def test_children_of_one_commit_are_deduplicated_among_each_other_in_order(stores: Stores) -> None:
    store = stores.open()
    one, two = begin(stores, store, "http://a/1", "http://a/2")
    results = [
        Finished(entry.token, children=[offer("http://a/x"), offer(f"http://a/{entry.token}/")]) for entry in (one, two)
    ]
    first, second = stores.wait(store.commit(results))
    assert [entry is None for entry in first.admitted + second.admitted] == [False, False, True, False]


@pytest.mark.parametrize("case", ["unknown", "twice in one commit", "finished before"])
def test_a_commit_with_a_wrong_token_changes_nothing(stores: Stores, case: str) -> None:
    store = stores.open()
    stores.wait(store.feeds(["out.jl"]))
    entry, other, gone = begin(stores, store, "http://a/1", "http://a/2", "http://a/3")
    stores.wait(store.commit([Finished(gone.token)]))
    good = Finished(entry.token, children=[offer("http://a/new")], items=[1])
    wrong = {
        "unknown": Finished(999),
        "twice in one commit": Finished(entry.token),
        "finished before": Finished(gone.token),
    }[case]
    with pytest.raises(StoreError):
        stores.wait(store.commit([good, wrong]))
    first, _ = stores.wait(store.commit([good, Finished(other.token)]))
    assert first.first_item == 1
    assert first.admitted[0] is not None


def test_a_commit_that_postpones_an_unknown_request_changes_nothing(stores: Stores) -> None:
    store = stores.open()
    [entry] = begin(stores, store, "http://a/1")
    good = Finished(entry.token, children=[offer("http://a/new")])
    with pytest.raises(StoreError):
        stores.wait(store.commit([good], postponed=[Postponed(999, Request("http://a/"), "a", "http://a:80", 0.0)]))
    assert stores.wait(store.claim(START, [good.children[0].fingerprint])) == [True]
    [answer] = stores.wait(store.commit([good]))
    assert answer.admitted[0] is not None


def test_a_request_may_be_postponed_and_finished_in_one_commit(stores: Stores) -> None:
    store = stores.open()
    [entry] = begin(stores, store, "http://a/1")
    postponed = Postponed(entry.token, entry.request, "a", "http://a:80", 5.0)
    stores.wait(store.commit([Finished(entry.token)], postponed=[postponed]))
    with pytest.raises(StoreError):
        stores.wait(store.commit([], postponed=[postponed]))


def test_a_redirect_registers_its_target_once(stores: Stores) -> None:
    store = stores.open()
    one, two = begin(stores, store, "http://a/1", "http://a/2")
    target = offer("http://b/target")
    moved = Postponed(one.token, target.request, target.host, target.origin, 0.0)
    assert stores.wait(store.redirect(moved, target.fingerprint)) == "here"
    again = Postponed(two.token, target.request, target.host, target.origin, 0.0)
    assert stores.wait(store.redirect(again, target.fingerprint)) == "duplicate"
    stores.wait(store.commit([Finished(one.token), Finished(two.token, outcome="dropped", reason="duplicate")]))
    with pytest.raises(StoreError):
        stores.wait(store.redirect(moved, 12345))


def test_commits_answer_in_the_order_of_the_calls(stores: Stores) -> None:
    store = stores.open()
    first = store.commit([Finished(START, children=[offer("http://a/1")])])
    asked = store.claim(START, [offer("http://a/1").fingerprint])
    second = store.commit([Finished(START, children=[offer("http://a/1")])])
    assert stores.wait(second)[0].admitted == [None]
    assert stores.wait(asked) == [False]
    assert stores.wait(first)[0].admitted != [None]


def test_finish_may_come_twice(stores: Stores) -> None:
    store = stores.open()
    stores.finish(store, ended=True)
    stores.finish(store, ended=True)


def test_staged_children_are_seen_at_their_commit_only(tmp_path: Path) -> None:
    stores = Stores("sqlite", tmp_path)
    store = stores.open()
    [parent] = begin(stores, store, "http://a/1")
    stores.wait(store.stage(parent.token, [offer("http://a/2"), offer("http://b/3"), offer("http://a/1")]))
    stores.wait(store.stage(parent.token, [offer("http://a/2"), offer("http://a/4", priority=5)]))
    assert stores.wait(store.claim(START, [offer("http://a/2").fingerprint])) == [True]
    assert [entry.token for entry, _ in stores.wait(store.lease("a", 9, None))] == [parent.token]
    [answer] = stores.wait(store.commit([Finished(parent.token, children=[offer("http://b/3"), offer("http://b/5")])]))
    assert (answer.stored, answer.duplicates) == ({"a": 2, "b": 1}, 2)
    assert [entry is None for entry in answer.admitted] == [True, False]
    leased = [entry.request.url for entry, _ in stores.wait(store.lease("a", 9, None))]
    assert leased == ["http://a/4", "http://a/2"]


@pytest.mark.parametrize("spill", [1, 3, 1_000_000])
def test_staged_children_are_new_once_however_many_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spill: int
) -> None:
    """Within a page, among pages of one commit, and beside what was there before."""
    monkeypatch.setattr(commit, "SPILL", spill)
    stores = Stores("sqlite", tmp_path)
    store = stores.open()
    one, two = begin(stores, store, "http://a/1", "http://a/2")
    twice = ["http://a/3", "http://a/4", "http://a/1", "http://a/3", "http://b/5"]
    for url in twice:
        stores.wait(store.stage(one.token, [offer(url)]))
    stores.wait(store.stage(two.token, [offer("http://a/4"), offer("http://a/6"), offer("http://a/6", check=False)]))
    first, second = stores.wait(
        store.commit(
            [
                Finished(one.token, children=[offer("http://b/5"), offer("http://b/7")]),
                Finished(two.token, children=[offer("http://b/5"), offer("http://b/8")], fingerprints=[99]),
            ]
        )
    )
    assert (first.stored, first.duplicates) == ({"a": 2, "b": 1}, 2)
    assert (second.stored, second.duplicates) == ({"a": 2}, 1)
    assert [entry is None for entry in [*first.admitted, *second.admitted]] == [True, False, True, False]
    leased = [(entry.token, entry.request.url) for entry, _ in stores.wait(store.lease("a", 9, None))]
    urls = ["http://a/3", "http://a/4", "http://a/6", "http://a/6"]
    assert [url for _, url in leased] == urls
    tokens = [token for token, _ in leased] + [entry.token for entry in [*first.admitted, *second.admitted] if entry]
    assert len(set(tokens)) == 6
    assert stores.wait(store.claim(START, [offer(url).fingerprint for url in [*twice, *urls]] + [99])) == [False] * 10
    stores.wait(store.finish(ended=False, reason="shutdown"))
    later = stores.make()
    resumed = stores.wait(later.open())
    assert (resumed.accepted, resumed.queued) == (9, {"a": 4, "b": 3})
    assert stores.wait(later.claim(START, [offer(url).fingerprint for url in urls])) == [False] * 4


def test_what_was_staged_without_a_commit_is_gone_with_the_process(tmp_path: Path) -> None:
    stores = Stores("sqlite", tmp_path)
    store = stores.open()
    [parent] = begin(stores, store, "http://a/1")
    stores.wait(store.stage(parent.token, [offer("http://a/2")]))
    stores.wait(store.finish(ended=False, reason="shutdown"))
    again = stores.open()
    [answer] = stores.wait(again.commit([Finished(parent.token)]))
    assert (answer.stored, answer.duplicates) == ({}, 0)
    assert stores.wait(again.lease("a", 9, None)) == []
