"""Does a worker's store keep the contract that those of one process keep, as far as it holds for one of many?

What differs by design is in test_store.py: what is admitted is no entry before it is taken, a claim is for one unit
alone, a redirected request may be another worker's, and what is postponed may have gone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from crawler.frontier.store import ELSEWHERE, Finished
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.private import PrivateServer
from tests.cluster.worker import Worker, Workers
from tests.storage.support import Stores
from tests.storage.test_contract import (  # noqa: F401 – the tests, with the stores of this module
    test_a_commit_with_a_wrong_token_changes_nothing,
    test_a_new_store_has_nothing,
    test_all_fingerprints_from_0_to_the_highest_fit,
    test_children_of_one_commit_are_deduplicated_among_each_other_in_order,
    test_dont_filter_is_admitted_and_registers,
    test_fingerprints_of_carried_requests_are_registered_with_their_parent,
    test_finish_may_come_twice,
    test_items_are_numbered_from_1_over_the_whole_job,
)

pytestmark = pytest.mark.process


class WorkersStores(Stores):
    """Makes the stores of workers of one job."""

    def __init__(self, workers: Workers, folder: Path) -> None:
        super().__init__("cluster", folder)
        self.workers = workers
        self._worker: dict[int, Worker] = {}

    def make(self, path: Path | None = None, classes: Any = (), **more: Any) -> Any:
        worker = self.workers.made_worker()
        self._worker[id(worker.store)] = worker
        return worker.store

    def wait(self, deferred: Deferred[Any]) -> Any:
        return self.workers.wait(deferred)

    def begin(self, store: Any, finished: Finished) -> list[Any]:
        """Commit results of start(); return what was admitted, once it is taken."""
        worker = self._worker[id(store)]
        self.workers.until(lambda: worker.holder.was_told("start"))
        admitted = super().begin(store, finished)
        new = [child.host for child, each in zip(finished.children, admitted, strict=True) if each is ELSEWHERE]
        taken = {host: iter(worker.takes(host, count)) for host, count in Counter(new).items()}
        hosts = iter(new)
        return [next(taken[next(hosts)]) if each is ELSEWHERE else None for each in admitted]


@pytest.fixture
def stores(server: PrivateServer, connection: Connection, tmp_path: Path) -> Iterator[Stores]:
    """Make stores of workers of one new job."""
    workers = Workers(server.address)
    yield WorkersStores(workers, tmp_path)
    workers.close()
