"""Whose are results without a request of their own, and the fingerprints that were claimed for them?"""

from __future__ import annotations

from typing import Any

from crawler.storage.cluster import library
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.reply import Reply, read_reply
from crawler.storage.cluster.wire import Claim, Finish, Turn

LEASE = 3000


class Worker:
    """A worker of one job, by its bare calls."""

    def __init__(self, connection: Connection, job: str, name: str) -> None:
        self._connection, self._job, self._name = connection, job, name
        self._number = 0
        connection.call(library.function("join"), job, name, LEASE, name)

    def turn(self, **what: Any) -> Reply:
        """Make a turn."""
        self._number += 1
        words = Turn(**what).arguments()
        return read_reply(
            self._connection.call(library.function("turn"), self._job, self._name, self._number, LEASE, *words)
        )


def test_only_results_of_start_need_its_owner(connection: Connection) -> None:
    library.load(connection)
    owner, other = Worker(connection, "side", "owner"), Worker(connection, "side", "other")
    assert owner.turn(room=1).begin is not None
    assert other.turn(finishes=[Finish(-1, items=[b"by itself"])]).word == "ok"
    assert owner.turn(finishes=[Finish(-1, count=1, ended=True)]).word == "ok"
    assert owner.turn(finishes=[Finish(-1, items=[b"by itself"])]).word == "ok"
    assert other.turn(finishes=[Finish(-1, count=2)]).late


def test_a_unit_aside_registers_what_it_has_claimed_itself(connection: Connection) -> None:
    library.load(connection)
    one, two = Worker(connection, "claims", "one"), Worker(connection, "claims", "two")
    assert one.turn(claims=[Claim(-1, 5), Claim(-1, 6)]).claims == "11"
    assert one.turn(finishes=[Finish(-1, fingerprints=[5])]).word == "ok"
    assert one.turn(leave=True).word == "ok"
    assert two.turn(claims=[Claim(-1, 5), Claim(-1, 6)]).claims == "01"
