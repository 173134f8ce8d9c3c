"""Does a job tell what became of a URL?"""

from __future__ import annotations

from crawler.frontier.store import START, Attempt, Finished, Postponed, Refusal
from crawler.model.request import Request
from crawler.storage.trace import facts, refusals, trace
from tests.storage.support import Stores, offer


def test_where_it_was_found_each_attempt_and_what_it_yielded(sqlite: Stores) -> None:
    store = sqlite.open()
    start = offer("http://a/")
    [answer] = sqlite.wait(store.commit([Finished(START, children=[start])]))
    root = answer.admitted[0].token
    page, other = offer("http://a/page", found_on="http://a/index"), offer("http://a/other", found_on="http://b/")
    refused = Refusal("http://off/", "offsite", "allowed_domains", "http://a/index")
    results = [Finished(root, children=[page, other], items=[1], refusals=[refused])]
    [answer] = sqlite.wait(store.commit(results))
    token = answer.admitted[0].token
    tries = [Attempt(1.0, "http://a/page", "503", ""), Attempt(2.0, "http://a/page", "ConnectionLost", "\ud800 reset")]
    retried = Postponed(token, Request("http://a/page", priority=-1), "a", "http://a:80", 9.0, [tries[0]])
    sqlite.wait(store.commit([], postponed=[retried]))
    queued = trace(sqlite.path, page.fingerprint)
    assert queued is not None
    assert (queued.state, queued.not_before, queued.priority, queued.host) == ("queued", 9.0, -1, "a")
    sqlite.wait(store.commit([Finished(token, outcome="failed", reason="ConnectionLost", attempts=[tries[1]])]))
    found = trace(sqlite.path, page.fingerprint)
    assert found is not None
    assert (found.token, found.state, found.reason) == (token, "failed", "ConnectionLost")
    assert found.found_on == "http://a/index"
    assert found.attempts[0] == tries[0]
    assert found.attempts[1][:3] == tries[1][:3]
    elsewhere, first = trace(sqlite.path, other.fingerprint), trace(sqlite.path, start.fingerprint)
    assert elsewhere is not None
    assert elsewhere.found_on == "http://b/"
    assert first is not None
    assert (first.found_on, first.state, first.items, first.children) == ("", "answered", 1, 2)
    assert trace(sqlite.path, 12345) is None
    assert refusals(sqlite.path, "http://off/") == [refused]


def test_facts_by_name(sqlite: Stores) -> None:
    store = sqlite.open()
    sqlite.wait(store.commit([], facts={"stats": {"pages": 2}, "robots:http://a": {"wall": 1.0, "body": b"\xff"}}))
    assert facts(sqlite.path, "stats", "none") == {"stats": {"pages": 2}}
    assert facts(sqlite.path, "robots:http://a") == {"robots:http://a": {"wall": 1.0, "body": b"\xff"}}
