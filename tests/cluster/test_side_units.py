"""Whose are results without a request of their own, and the fingerprints that were claimed for them?"""

from __future__ import annotations

from typing import Any

from crawler.storage.cluster import library
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.reply import Reply, read_reply
from crawler.storage.cluster.wire import Child, Claim, Finish, Turn

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


def test_it_is_not_over_while_code_works_for_itself_somewhere(connection: Connection) -> None:
    library.load(connection)
    owner, other = Worker(connection, "aside", "owner"), Worker(connection, "aside", "other")
    assert owner.turn(room=1).begin is not None
    other.turn(aside=True)
    assert owner.turn(finishes=[Finish(-1, count=1, ended=True)]).over == ""
    other.turn(aside=False)
    assert owner.turn().over == "finished"


def test_what_came_unheard_before_the_end_calls_it_off(connection: Connection) -> None:
    library.load(connection)
    owner, other = Worker(connection, "unheard", "owner"), Worker(connection, "unheard", "other")
    assert owner.turn(room=1).begin is not None
    assert owner.turn(finishes=[Finish(-1, count=1, ended=True)]).over == "finished"
    assert other.turn(aside=True).over == ""
    assert other.turn(aside=False).over == "finished"
    found = Child(5, True, "a", 0, b"page")
    assert other.turn(finishes=[Finish(-1, children=[found])]).over == ""
    assert owner.turn(room=1).grants[0].host == "a"


def test_what_works_aside_in_a_dead_worker_is_not_waited_for(connection: Connection) -> None:
    library.load(connection)
    owner, other = Worker(connection, "dead", "owner"), Worker(connection, "dead", "other")
    assert owner.turn(room=1).begin is not None
    other.turn(aside=True)
    connection.call(library.function("bury"), "dead", "other")
    assert owner.turn(finishes=[Finish(-1, count=1, ended=True)]).over == "finished"
