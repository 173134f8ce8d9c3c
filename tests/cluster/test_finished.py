"""What a shared job leaves when it has finished, and that it becomes a job again on any server."""

from __future__ import annotations

from pathlib import Path

from crawler.commands.cluster.ground import jobs_at
from crawler.frontier.store import Attempt, Finished
from crawler.model.request import Request
from crawler.model.url import fingerprint
from crawler.storage import history
from crawler.storage.again import renewed_by
from crawler.storage.cluster import library
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.finished import FinishedJob, put_back, restore
from crawler.storage.codec import Codec
from crawler.storage.values import Values
from tests.cluster.worker import KEY, Workers
from tests.storage.support import offer

PREFIX, _, NAME = KEY.partition(":")


def test_a_finished_job_becomes_a_job_again_that_has_only_its_failures_to_do(
    connection: Connection, tmp_path: Path
) -> None:
    workers = Workers(connection.address)
    jobs = jobs_at(workers.connection, PREFIX)
    jobs.make(NAME, {"spider": "sample"}, wall=1000.5, library=library.NAME)
    one = workers.worker()
    one.starts("http://a.example/")
    [root] = one.takes("a.example")
    bad = offer("http://a.example/bad", found_on="http://a.example/", callback=workers.spider.parse_book)
    post = offer("http://a.example/search", found_on="http://a.example/", method="POST", body="q=1")
    tries = [Attempt(5.0, "http://a.example/bad", "503", "")]
    one.wait(one.store.commit([Finished(root.token, children=[bad, post], items=[1], attempts=tries)]))
    taken = {entry.request.url: entry for entry in one.takes("a.example", 2)}
    ends = [
        Finished(taken[bad.request.url].token, "failed", "HttpError", attempts=tries),
        Finished(taken[post.request.url].token, "dropped", "robots"),
    ]
    one.wait(one.store.commit(ends, facts={"cookie:a": {"name": "sid"}}))
    finished = FinishedJob(jobs, jobs.find(NAME), fingerprint)
    stats = Values().encode({"request_failed_count": 1, "pages": 3})
    run = history.read_run(finished.keep(tmp_path / "jobs", {"spider": "sample"}, [], stats=stats, ended=9.0))
    workers.close()

    pages = {page.url: page for page in history.pages(run)}
    assert (run.done, run.failed, run.items, run.created, run.apart) == (3, 1, 1, 1000.5, True)
    assert pages[bad.request.url][3:6] == ("failed", "HttpError", "503")
    assert (pages["http://a.example/"].items, pages["http://a.example/"].requests) == (1, 2)
    seen = {each for some in history.seen(run) for each in some}
    assert seen == {fingerprint(Request("http://a.example/")), bad.fingerprint, post.fingerprint}

    connection.command("FLUSHALL")
    workers = Workers(connection.address)
    jobs = jobs_at(workers.connection, PREFIX)
    renewed = renewed_by(Codec(workers.spider))
    assert restore(jobs, run, renewed) == 1
    assert restore(jobs, run, renewed) == 1  # as after a kill in the middle of the first
    assert jobs.list() == []  # until it is said what it is
    jobs.make(NAME, {"spider": "sample"}, wall=run.created, library=library.NAME)
    job = jobs.find(NAME)
    assert (job.state, job.done, job.queued, job.items) == ("stopped", 2, 1, 1)
    assert put_back(jobs, NAME, list(history.failed(run)), renewed) == 1
    assert jobs.find(NAME).queued == 1  # it was put back before
    two = workers.worker()
    [again] = two.takes("a.example")
    assert (again.request.url, again.request.callback) == (bad.request.url, workers.spider.parse_book)
    known = [fingerprint(Request("http://a.example/")), bad.fingerprint, post.fingerprint, 5]
    assert two.wait(two.store.claim(again.token, known)) == [False, False, False, True]
    assert two.resumed.facts["cookie:a"] == {"name": "sid"}
    workers.close()
