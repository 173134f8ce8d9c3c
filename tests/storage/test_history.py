"""Is what is kept of a finished run whole, small enough in memory, and there before its job goes?"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from crawler.errors import JobDamaged, StoreError
from crawler.frontier.store import START, Attempt, Finished, Postponed
from crawler.model.request import Request
from crawler.model.url import fingerprint
from crawler.storage import history
from crawler.storage.again import put_back, renewed_by, revive
from crawler.storage.codec import Codec
from crawler.storage.finished import keep
from crawler.storage.history import Failed, Kept, Page, Run
from crawler.storage.historyfile import PAGES_A_BLOCK, pack_pages, unpack_pages
from crawler.storage.jobs import job_path, make_folder, read_job, reading
from tests.storage.support import Stores, offer

TRIES = [Attempt(5.0, "http://a/bad", "503", ""), Attempt(9.0, "http://a/bad", "ConnectionLost", "reset")]


def finished(stores: Stores, folder: Path) -> Path:
    """Make the job of a crawl that has finished: start, then a page that failed, a leaf and a redirected one."""
    path = job_path(make_folder(folder / "jobs"), "mine")
    store = stores.open(path=path, description={"spider": "sample", "created": 1000.5})
    root = stores.begin(store, Finished(START, children=[offer("http://a/")], start_count=1, start_ended=True))[0]
    bad = offer("http://a/bad", found_on="http://a/", callback=stores.spider.parse_book, priority=3)
    children = [bad, offer("http://a/leaf", found_on="http://a/"), offer("http://a/old", found_on="http://a/elsewhere")]
    seen = [Attempt(2.5, "http://a/", "200", "")]
    [answer] = stores.wait(store.commit([Finished(root.token, children=children, items=[1, 2], attempts=seen)]))
    bad_token, leaf, old = (entry.token for entry in answer.admitted)
    again = Request("http://a/bad", callback=stores.spider.parse_book, meta={"retry_times": 1}, priority=2)
    moved = Request("http://a/new")
    stores.wait(store.redirect(Postponed(old, moved, "a", "http://a:80", 0.0, []), fingerprint(moved)))
    stores.wait(store.commit([], postponed=[Postponed(bad_token, again, "a", "http://a:80", 0.0, TRIES[:1])]))
    ends = [
        Finished(bad_token, "failed", "ConnectionLost", attempts=TRIES[1:]),
        Finished(leaf, attempts=[Attempt(6.0, "http://a/leaf", "200", "")], items=[3]),
        Finished(old, "dropped", "robots", fingerprints=[77]),
    ]
    stats = {"request_failed_count": 1, "request_failed/ConnectionLost": 1, "pages": 4}
    stores.wait(store.commit(ends, facts={"stats": stats, "errors": 1, "robots:http://a": {"body": b""}}))
    stores.finish(store, ended=True)
    return path


def test_what_became_of_each_page_is_kept(sqlite: Stores, tmp_path: Path) -> None:
    path = finished(sqlite, tmp_path)
    written = keep(path, {"spider": "sample"}, ["settings:HTTP_AUTH"])
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert stat.S_IMODE(written.parent.stat().st_mode) == 0o700
    [run] = history.runs(path.parent, spider="sample", job="mine")
    assert (run.created, run.done, run.failed, run.items) == (1000.5, 4, 1, 3)
    assert (run.description, run.withheld, run.path) == ({"spider": "sample"}, ["settings:HTTP_AUTH"], written)
    root, bad, leaf, old = history.pages(run)
    seen = tuple(fingerprint(Request(url)) for url in ("http://a/", "http://a/leaf"))
    assert root == Page(1, "http://a/", seen[:1], "answered", "", "200", 2, 3, 2, -1, "")
    assert leaf == Page(3, "http://a/leaf", seen[1:], "answered", "", "200", 1, 0, 6, 1, "")
    assert bad[3:6] == ("failed", "ConnectionLost", "ConnectionLost")
    assert set(old.fingerprints) == {77, *(fingerprint(Request(f"http://a/{name}")) for name in ("old", "new"))}
    assert old[3:5] == ("dropped", "robots")
    assert (old.url, old.found_on) == ("http://a/new", "http://a/elsewhere")
    [failed] = history.failed(run)
    assert (failed.url, failed.host, failed.priority, failed.found_on) == ("http://a/bad", "a", 2, "http://a/")
    assert sorted(name for name, _ in history.facts(run)) == ["errors", "stats"]


def test_a_run_becomes_a_job_again_that_has_only_its_failures_to_do(sqlite: Stores, tmp_path: Path) -> None:
    path = finished(sqlite, tmp_path)
    run = history.read_run(keep(path, read_job(path).description, []))
    path.unlink()
    assert revive(path.parent, run, renewed_by(Codec(sqlite.spider)), run.description) == 1
    job = read_job(path)
    assert (job.state, job.reason, job.done, job.queued, job.items, job.created) == (
        "stopped",
        "failed",
        3,
        1,
        3,
        1000.5,
    )
    store = sqlite.make(path=path, resume=True)
    resumed = sqlite.wait(store.open())
    assert (resumed.start_ended, resumed.queued) == (True, {"a": 1})
    assert resumed.facts == {"stats": {"pages": 4}, "errors": 0}  # that it failed has yet to come
    [(entry, not_before)] = sqlite.wait(store.lease("a", 9, None))
    assert (entry.request.url, entry.request.meta, entry.request.priority, not_before) == ("http://a/bad", {}, 2, 0.0)
    assert entry.request.callback == sqlite.spider.parse_book
    known = [fingerprint(Request(f"http://a/{name}")) for name in ("", "bad", "leaf", "old", "new", "never")]
    assert sqlite.wait(store.claim(entry.token, [*known, 77])) == [False] * 5 + [True, False]
    sqlite.wait(store.commit([Finished(entry.token, "failed", "ConnectionLost", attempts=TRIES[1:])]))
    sqlite.finish(store, ended=True)
    next_run = history.read_run(keep(path, run.description, []))
    assert (
        [(*page[:8], *page[9:]) for page in history.pages(next_run)]
        == [  # but for when
            (*page[:8], *page[9:]) for page in history.pages(run)
        ]
    )
    [failed] = history.failed(next_run)
    assert len(failed.attempts) == 3


def test_what_failed_of_a_stopped_job_is_queued_with_its_attempts_behind_it(sqlite: Stores, tmp_path: Path) -> None:
    path = finished(sqlite, tmp_path)
    assert put_back(path, renewed_by(Codec(sqlite.spider))) == 1
    assert put_back(path, renewed_by(Codec(sqlite.spider))) == 0
    with reading(path) as sql:
        assert sql.execute("SELECT state, reason FROM requests WHERE url = 'http://a/bad'").fetchone() == (0, None)
        assert sql.execute("SELECT count(*) FROM attempts").fetchone() == (2,)


def test_failures_with_large_bodies_lie_in_blocks_of_their_own(tmp_path: Path) -> None:
    failures = [Failed(n, "http://a/", "a", "http://a:80", 0, bytes(600_000), -1, "", "x", []) for n in range(1, 8)]
    run = Run("mine", "sample", 0.0, 1.0, 7, 7, 0)
    written = history.read_run(history.write(tmp_path / "jobs", run, Kept([], failed=iter(failures))))
    assert list(history.failed(written)) == failures
    assert max(map(len, history.sections(written, history.FAILED))) < 1_300_000


def run_of(folder: Path, job: str, ended: float, *, spider: str = "sample") -> Run:
    run = Run(job, spider, ended - 1, ended, 1, 0, 0)
    history.write(folder / "jobs", run, Kept([Page(1, "http://a/", (1,), "answered", "", "200", 0, 0, 1, -1, "")]))
    return run


def test_the_oldest_runs_and_the_most_of_a_spider_go(tmp_path: Path) -> None:
    day = 86_400.0
    for number in range(5):
        run_of(tmp_path, f"r{number}", 1e9 + number)
    run_of(tmp_path, "other", 1e9 - 29 * day, spider="other")
    run_of(tmp_path, "old", 1e9 - 31 * day, spider="other")
    history.prune(tmp_path / "jobs", "sample", days=30, most=3, now=1e9)
    assert [run.job for run in history.runs(tmp_path / "jobs")] == ["r4", "r3", "r2", "other"]
    latest = history.latest(tmp_path / "jobs", "sample")
    assert latest is not None
    assert latest.job == "r4"


def test_a_history_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    run = run_of(tmp_path, "mine", 1e9)

    def pages() -> Iterator[Page]:
        yield from history.pages(history.runs(tmp_path / "jobs")[0])
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="No space left"):
        history.write(tmp_path / "jobs", run, Kept(pages()))
    [kept] = (tmp_path / "jobs.history").iterdir()
    assert len(list(history.pages(history.read_run(kept)))) == 1


@pytest.mark.parametrize("cut", [3, 40, -1])
def test_a_damaged_history_is_named(tmp_path: Path, cut: int) -> None:
    run_of(tmp_path, "mine", 1e9)
    [path] = (tmp_path / "jobs.history").iterdir()
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(JobDamaged, match=r"mine\..*\.history"):
        list(history.pages(history.read_run(path)))
    assert history.runs(tmp_path / "jobs") == [] or cut == -1


def test_a_million_pages_take_no_more_memory_than_a_block() -> None:
    made = 0

    def pages() -> Iterator[Page]:
        nonlocal made
        for made in range(1, 1_000_001):
            yield Page(made, f"http://a/{made}", (made,), "answered", "", "200", 0, 0, made, 1, "")

    first = next(pack_pages(pages()))
    assert made == PAGES_A_BLOCK
    assert [page.token for page in unpack_pages(first)] == list(range(1, made + 1))
    assert len(zstandard.compress(first)) < 20 * made
