"""Does the SQLite store bring everything back, in order, and keep its file safe?"""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from crawler.errors import JobDamaged, JobInUse, StoreError
from crawler.frontier.store import START, Attempt, Finished, MemoryChange, Offer, Postponed, Refusal
from crawler.model.request import Request
from crawler.model.url import fingerprint
from crawler.scrapy.forms import FormRequest, JsonRequest
from crawler.storage import schema
from tests.storage.support import Stores, begin, offer


def reopened(stores: Stores, store: object, **more: object) -> tuple[object, object]:
    stores.finish(store)
    store = stores.make(**more)
    return store, stores.wait(store.open())


def test_a_resumed_job_has_its_counts_facts_memory_and_marks(sqlite: Stores) -> None:
    store = sqlite.open()
    sqlite.wait(store.feeds(["out.jl"]))
    one, _, _ = begin(sqlite, store, "http://a/1", "http://a/2", "http://b/3")
    changes = [
        MemoryChange("drop", "seen", "set", ("isbn", 1), None),
        MemoryChange("drop", "seen", "set", "gone", None),
        MemoryChange("drop", "seen", "del", "gone", None),
        MemoryChange("drop", "last", "set", "key", {"n": (1, 2)}),
    ]
    finished = [
        Finished(one.token, items=[{"n": 1}, {"n": 2}], memory=changes),
        Finished(START, start_count=7, start_digests=[2**64 - 1, 5], start_ended=True),
    ]
    sqlite.wait(store.commit(finished, facts={"stats": {"a": 1}, "gone": 1}))
    sqlite.wait(store.commit([], facts={"gone": None}))
    sqlite.wait(store.fed("out.jl", {"number": 1, "length": 20}))
    _, resumed = reopened(sqlite, store)
    assert not resumed.is_new
    assert resumed.queued == {"a": 1, "b": 1}
    assert (resumed.done, resumed.accepted, resumed.items) == (1, 3, 2)
    assert (resumed.start_count, resumed.start_digests, resumed.start_ended) == (7, [2**64 - 1, 5], True)
    assert resumed.facts == {"stats": {"a": 1}}
    assert resumed.memory == {("drop", "seen"): {("isbn", 1): None}, ("drop", "last"): {"key": {"n": (1, 2)}}}
    assert resumed.feed_marks == {"out.jl": {"number": 1, "length": 20}}


def test_leases_go_by_priority_then_as_found_and_page_by_key(sqlite: Stores) -> None:
    store = sqlite.open()
    children = [
        offer(f"http://a/{n}", priority=n % 3, callback=sqlite.spider.parse_book, meta={"n": (n,)}) for n in range(20)
    ]
    sqlite.wait(store.commit([Finished(START, children=[*children, offer("http://b/")])]))
    store, _ = reopened(sqlite, store)
    expected = sorted(range(20), key=lambda n: (-(n % 3), n))
    found: list[int] = []
    after = None
    while leased := sqlite.wait(store.lease("a", 6, after)):
        found += [entry.request.meta["n"][0] for entry, _ in leased]
        after = leased[-1][0].key
        assert [entry.host for entry, _ in leased] == ["a"] * len(leased)
        assert leased[0][0].origin == "http://a:80"
        assert leased[0][0].request.callback == sqlite.spider.parse_book
        assert leased[0][0].order == leased[0][0].token
    assert found == expected
    assert sqlite.wait(store.lease("nowhere", 6, None)) == []


def test_finished_requests_are_not_leased_again(sqlite: Stores) -> None:
    store = sqlite.open()
    one, two = begin(sqlite, store, "http://a/1", "http://a/2")
    sqlite.wait(store.commit([Finished(one.token)]))
    assert [entry.token for entry, _ in sqlite.wait(store.lease("a", 9, None))] == [two.token]


def test_a_postponed_request_comes_back_changed(sqlite: Stores) -> None:
    store = sqlite.open()
    one, two = begin(sqlite, store, "http://a/1", "http://a/2")
    retry = Request("http://a/1", meta={"retry_times": 1}, priority=-1)
    target = offer("http://b/t", priority=2)
    sqlite.wait(store.commit([], postponed=[Postponed(one.token, retry, "a", "http://a:80", 99.5)]))
    moved = Postponed(two.token, target.request, "b", "http://b:80", 0.0)
    assert sqlite.wait(store.redirect(moved, target.fingerprint)) == "here"
    store, resumed = reopened(sqlite, store)
    assert resumed.queued == {"a": 1, "b": 1}
    [(entry, not_before)] = sqlite.wait(store.lease("a", 9, None))
    assert (entry.token, entry.key, not_before) == (one.token, (1, one.order), 99.5)
    assert entry.request.meta == {"retry_times": 1}
    [(entry, not_before)] = sqlite.wait(store.lease("b", 9, None))
    assert (entry.token, entry.request.url, entry.key[0], not_before) == (two.token, "http://b/t", -2, 0.0)


def test_the_outbox_keeps_items_until_every_feed_has_them(sqlite: Stores) -> None:
    store = sqlite.open()
    sqlite.wait(store.feeds(["a.jl", "b.csv"]))
    sqlite.wait(store.commit([Finished(START, items=[{"n": n, "t": (n,)} for n in range(1, 6)])]))
    rows = sqlite.wait(store.unfed_items(1, 2))
    assert rows == [(2, {"n": 2, "t": (2,)}), (3, {"n": 3, "t": (3,)})]
    sqlite.wait(store.fed("a.jl", {"number": 4}))
    assert len(sqlite.wait(store.unfed_items(0, 99))) == 5
    sqlite.wait(store.fed("b.csv", {"number": 3}))
    assert [number for number, _ in sqlite.wait(store.unfed_items(0, 99))] == [4, 5]
    store, _ = reopened(sqlite, store)
    sqlite.wait(store.feeds(["a.jl", "b.csv"]))
    [answer] = sqlite.wait(store.commit([Finished(START, items=["x"])]))
    assert answer.first_item == 6
    with pytest.raises(StoreError, match=r"c\.xml"):
        sqlite.wait(store.fed("c.xml", {"number": 4}))


def test_a_feed_whose_name_is_not_in_the_encoding_of_the_locale_is_found_again(sqlite: Stores) -> None:
    names = ["caf\udce9.csv", "caf\u00e9.csv"]  # as Python gives the bytes of an old disk, and as they are now
    store = sqlite.open()
    sqlite.wait(store.feeds(names))
    for number, name in enumerate(names):
        sqlite.wait(store.fed(name, {"number": number, "path": name}))
    store, resumed = reopened(sqlite, store)
    assert resumed.feed_marks == {name: {"number": number, "path": name} for number, name in enumerate(names)}
    sqlite.wait(store.feeds(names[:1]))
    store, resumed = reopened(sqlite, store)
    assert list(resumed.feed_marks) == names[:1]


def test_without_feeds_items_are_counted_and_not_kept(sqlite: Stores) -> None:
    store = sqlite.open()
    sqlite.wait(store.feeds([]))
    sqlite.wait(store.commit([Finished(START, items=[1, 2])]))
    assert sqlite.wait(store.unfed_items(0, 99)) == []
    assert reopened(sqlite, store)[1].items == 2


class Odd(dict):  # type: ignore[type-arg]
    def items(self) -> Any:
        raise RuntimeError("no")


def test_what_cannot_be_stored_says_so(sqlite: Stores) -> None:
    store = sqlite.open()
    assert store.can_store(Request("http://a/", sqlite.spider.parse, errback=sqlite.spider.failed))
    assert not store.can_store(Request("http://a/", lambda response: None))
    assert not store.can_store(Request("http://a/", meta={"x": object()}))
    assert not store.can_store(Request("http://a/", meta={"x": Odd()}))
    assert not store.can_store(Request("http://a/", priority=2**70))
    with pytest.raises(StoreError, match="object"):
        store.check_value([object()])
    with pytest.raises(StoreError, match="cookies"):
        sqlite.wait(store.commit([], facts={"cookies": object()}))
    assert sqlite.wait(store.commit([], facts={"spider.state": {"x": object(), "y": 1}})) == []
    assert reopened(sqlite, store)[1].facts["spider.state"] == {"y": 1}


def test_a_request_is_stored_as_it_was_when_it_was_offered(sqlite: Stores) -> None:
    store = sqlite.open()
    child = offer("http://a/1", meta={"n": [1]})
    assert store.can_store(child.request)
    child.request.meta["late"] = object()
    child.request.meta["n"].append(2)
    sqlite.wait(store.commit([Finished(START, children=[child])]))
    assert sqlite.wait(store.lease("a", 1, None))[0][0].request.meta == {"n": [1]}


def test_a_login_by_form_is_durable(sqlite: Stores) -> None:
    store = sqlite.open()
    login = FormRequest("http://a/login", formdata={"user": "u"}, callback=sqlite.spider.parse, dont_filter=True)
    query = JsonRequest("http://a/api", data={"q": 1}, callback=sqlite.spider.parse)
    assert store.can_store(login)
    assert store.can_store(query)
    children = [Offer(each, fingerprint(each), "a", each.origin, True, "") for each in (login, query)]
    sqlite.wait(store.commit([Finished(START, children=children)]))
    again: Any = reopened(sqlite, store)[0]
    leased = [entry.request for entry, *_ in sqlite.wait(again.lease("a", 2, None))]
    assert [(type(each), each.method, each.body) for each in leased] == [
        (FormRequest, "POST", b"user=u"),
        (JsonRequest, "POST", b'{"q": 1}'),
    ]


def test_texts_with_lone_surrogates_do_not_hurt(sqlite: Stores) -> None:
    store = sqlite.open()
    [entry] = begin(sqlite, store, "http://a/1", found_on="http://x/\ud800")
    finished = Finished(
        entry.token,
        outcome="failed",
        reason="\udfff",
        attempts=[Attempt(1.0, "http://a/", "ConnectionLost", "\ud800 reset")],
        refusals=[Refusal("http://\ud800/", "invalid_url", "\ud800", "")],
        children=[offer("http://a/2", found_on="\ud800"), offer("http://a/3", found_on="http://other/")],
    )
    sqlite.wait(store.commit([finished]))


def test_the_file_is_for_its_owner_only(sqlite: Stores) -> None:
    store = sqlite.open()
    begin(sqlite, store, "http://a/1")
    for path in sqlite.path.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_second_store_on_the_job_is_refused_until_the_first_is_closed(sqlite: Stores) -> None:
    store = sqlite.open()
    with pytest.raises(JobInUse, match=r"job is in use by process \d+"):
        sqlite.open()
    sqlite.finish(store)
    sqlite.open()


def test_a_symbolic_link_in_place_of_the_file_is_not_followed(sqlite: Stores, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    sqlite.path.symlink_to(elsewhere)
    with pytest.raises(StoreError):
        sqlite.open()
    assert not elsewhere.exists()


@pytest.mark.parametrize(
    ("pragma", "message"),
    [(f"user_version = {schema.VERSION + 1}", "version"), ("application_id = 1", "not a job file")],
)
def test_a_file_of_another_kind_or_version_is_refused_and_left_alone(sqlite: Stores, pragma: str, message: str) -> None:
    store = sqlite.open()
    sqlite.finish(store)
    with sqlite3.connect(sqlite.path) as connection:
        connection.execute(f"PRAGMA {pragma}")
    connection.close()
    with pytest.raises(JobDamaged, match=message):
        sqlite.open()
    with pytest.raises(JobDamaged, match=message):  # the lock is free again
        sqlite.open()


def test_a_file_with_other_fingerprints_is_refused(sqlite: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite.finish(sqlite.open())
    monkeypatch.setattr(schema, "FINGERPRINT", "other/2")
    with pytest.raises(JobDamaged, match="blake2b-8/1"):
        sqlite.open()


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4080])
def test_a_file_that_is_no_database_is_damaged_and_left_alone(sqlite: Stores, content: bytes) -> None:
    sqlite.path.write_bytes(content)
    with pytest.raises(JobDamaged, match="damaged"):
        sqlite.open()
    assert sqlite.path.read_bytes() == content


def test_a_file_damaged_inside_is_named_when_it_is_met(sqlite: Stores) -> None:
    store = sqlite.open()
    begin(sqlite, store, *[f"http://a/{n}" for n in range(3000)])
    sqlite.finish(store)
    data = bytearray(sqlite.path.read_bytes())
    for page in range(8, len(data) // 4096):
        data[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    sqlite.path.write_bytes(data)

    def read_all() -> None:
        sqlite.wait(sqlite.open().lease("a", 3000, None))

    with pytest.raises(JobDamaged, match="damaged"):
        read_all()


def test_a_full_disk_is_a_clear_error_and_what_was_committed_stays(sqlite: Stores, pragmas: list[str]) -> None:
    store = sqlite.open()
    begin(sqlite, store, "http://a/1", "http://a/2")
    pragmas.append("max_page_count = 40")
    big = [offer(f"http://a/{'x' * 1000}{n}") for n in range(500)]
    for _ in range(2):
        with pytest.raises(StoreError, match=r"the disk is full; what was committed is intact"):
            sqlite.wait(store.commit([Finished(START, children=big)], facts={"a": 1}))
    store, resumed = reopened(sqlite, store)
    assert (resumed.queued, resumed.accepted, resumed.facts) == ({"a": 2}, 2, {})
    assert None not in begin(sqlite, store, "http://new/", big[0].request.url)


def test_an_empty_file_is_a_new_job(sqlite: Stores) -> None:
    sqlite.path.touch(0o600)
    assert sqlite.wait(sqlite.make().open()).is_new


def test_a_folder_that_is_not_there_is_a_clear_error(sqlite: Stores, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        sqlite.open(path=tmp_path / "none" / "x.sqlite")
