"""A user of the server needs the rights that are documented, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.errors import StoreError
from crawler.frontier.store import Finished
from crawler.storage.cluster import library
from crawler.storage.cluster.address import parse
from crawler.storage.cluster.checks import check_server
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.trouble import RIGHTS
from tests.cluster.worker import Workers

pytestmark = pytest.mark.process


def test_a_crawl_by_a_user_with_these_rights(connection: Connection) -> None:
    documented = (Path(__file__).parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")
    assert f"{RIGHTS} ~crawler:*" in documented
    connection.command("ACL", "SETUSER", "joe", "reset", "on", ">pw", "~crawler:*", "~test:*", *RIGHTS.split())
    workers = Workers(parse(f"unix://joe@{connection.address.socket}", "pw"))
    check_server(workers.connection)
    one = workers.worker()
    one.starts("http://a/1")
    [entry] = one.takes("a")
    one.wait(one.store.commit([Finished(entry.token, items=["item"])]))
    assert workers.items() == ["item"]
    jobs = library.LibraryJobs(workers.connection, "crawler")
    name = jobs.make(None, {"spider": "shop"}, wall=0.0, library=library.NAME)
    starter = jobs.starter(name, 3.0)
    starter.acquire()
    assert starter.renew()
    starter.release()
    assert [job.name for job in jobs.list()] == [name]
    jobs.remove(name)
    with pytest.raises(StoreError, match="ACL SETUSER"):
        workers.connection.command("FLUSHALL")
    with pytest.raises(StoreError, match="ACL SETUSER"):
        workers.connection.command("GET", "of others")
    workers.close()
    connection.command("ACL", "DELUSER", "joe")
