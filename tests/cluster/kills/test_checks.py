"""Do the checks of the kill test find what they are there for?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cluster.kills import sitelog
from tests.cluster.kills.output import wrong_items
from tests.cluster.kills.recovery import REPORTED, Recovery, recoveries, slow, summary
from tests.cluster.kills.sitelog import Exchange, Hit
from tests.cluster.kills.world import FAILING, MEMBERS, PACED, PLAIN, SLOW, World

WORLD = World(800, 1)
RETRY = next(page.path for page in WORLD.pages if WORLD.fails_first(page.number) and WORLD.retry_after(page.number))
AT_SLOW = next(page.path for page in WORLD.pages if page.host == SLOW)
WHOLE = next(page.path for page in WORLD.pages if page.host == PLAIN and page.inline)
PART_HOST, _, _part = WORLD.pages[int(WHOLE[3:])].inline.partition("/")
PART = f"/{_part}"


def exchange(host: str, path: str, began: float, ended: float | None, *, status: int = 200, pid: int = 1) -> Exchange:
    return Exchange(host, path, pid, 1, began, ended, None if ended is None else status)


def test_gaps() -> None:
    late = [exchange(PACED, f"/p/{number}", number * 0.26, number * 0.26) for number in range(50)]
    assert sitelog.short_gaps(late) == []
    two_owners = [*late[:20], exchange(PACED, "/p/x", 19 * 0.26 + 0.05, 6.0, pid=2), *late[20:]]
    assert ["/p/x of 2" in problem for problem in sitelog.short_gaps(two_owners)] == [True]
    too_fast = [exchange(PACED, f"/p/{number}", number * 0.1, number * 0.1) for number in range(50)]
    assert len(sitelog.short_gaps(too_fast)) == 1
    members = [exchange(MEMBERS, "/login", 0.0, 0.01), exchange(MEMBERS, "/robots.txt", 0.02, 0.03)]
    assert sitelog.short_gaps(members) == []  # its Crawl-delay was not known
    assert len(sitelog.short_gaps([*members, exchange(MEMBERS, "/p/1", 0.04, 0.05, pid=2)])) == 1


def test_crowds() -> None:
    two = [exchange(SLOW, "/p/1", 0.0, 1.0), exchange(SLOW, "/p/2", 0.5, 1.5), exchange(SLOW, "/p/3", 1.0, 2.0)]
    assert sitelog.crowds(two) == []
    assert len(sitelog.crowds([*two[:2], exchange(SLOW, "/p/3", 0.9, 2.0, pid=2)])) == 1
    cut = exchange(SLOW, "/p/1", 0.0, 1.0, status=0)
    assert sitelog.crowds([cut, two[1], exchange(SLOW, "/p/3", 0.95, 2.0)]) == []
    assert len(sitelog.crowds([cut, two[1], exchange(SLOW, "/p/3", 0.8, 2.0)])) == 1


def test_retry_after() -> None:
    told = exchange(FAILING, RETRY, 0.0, 0.1, status=503)
    assert sitelog.impatient([told, exchange(FAILING, "/p/2", 1.1, 1.2)], WORLD, []) == []
    soon = exchange(FAILING, "/p/2", 0.5, 0.6, pid=2)
    assert len(sitelog.impatient([told, soon], WORLD, [])) == 1
    assert sitelog.impatient([told, soon], WORLD, [Hit(0.2, 0.2, 1)]) == []  # it could not tell
    assert len(sitelog.impatient([told, soon], WORLD, [Hit(0.2, 0.2, 2)])) == 1


def test_refetches() -> None:
    twice = [exchange(PLAIN, "/p/0", 10.0, 10.1), exchange(PLAIN, "/p/0", 20.0, 20.1, pid=2)]
    assert len(sitelog.needless(twice, WORLD, [Hit(16.0, 16.0, 1), Hit(10.1, 10.1, 2), Hit(9.0, 9.0, 1)])) == 1
    assert sitelog.needless(twice, WORLD, [Hit(10.5, 10.5, 1)]) == []
    assert sitelog.needless(twice, WORLD, [Hit(8.0, 10.01, 0)]) == []
    whole = [exchange(PLAIN, WHOLE, 10.0, 10.1), exchange(PART_HOST, PART, 15.0, 15.1)]
    again = [exchange(PLAIN, WHOLE, 20.0, 20.1, pid=2), exchange(PART_HOST, PART, 21.0, 21.1, pid=2)]
    assert sitelog.needless([*whole, *again], WORLD, [Hit(16.0, 16.0, 1)]) == []  # its unit was open until 15.1
    assert len(sitelog.needless([*whole, *again], WORLD, [Hit(30.0, 30.0, 1)])) == 2
    assert sitelog.needless([whole[0], *again], WORLD, [Hit(19.0, 19.0, 1)]) == []  # its part was never there


def test_silences() -> None:
    links = [(page, WORLD.pages[link]) for page in WORLD.pages for link in page.links]
    page, to = next((page, to) for page, to in links if to.host == SLOW and WORLD.href(to.number) == to.name)
    log = [exchange(page.host, page.path, 0.0, 0.1), exchange(to.host, "/robots.txt", 0.2, 0.3)]
    log += [exchange(to.host, to.path, 20.0, 20.1)]
    assert len(sitelog.silences(log, WORLD, [], longest=8)) == 1
    assert sitelog.silences(log, WORLD, [], longest=20) == []
    assert sitelog.silences(log, WORLD, [Hit(1.0, 15.0, 0)], longest=8) == []


def test_recovery_of_a_request() -> None:
    cut = exchange(SLOW, AT_SLOW, 10.0, 10.1, status=0)
    other = [exchange(PLAIN, f"/p/{number}", float(number), number + 0.1, pid=3) for number in range(40)]
    death = Hit(10.1, 10.1, 1, REPORTED)

    def found(
        again: float, *more: Exchange, outages: tuple[Hit, ...] = (), deaths: tuple[Hit, ...] = ()
    ) -> list[float]:
        log = [*other, cut, *more, exchange(SLOW, AT_SLOW, again, again + 0.25, pid=2)]
        log.sort(key=lambda one: one.began)
        return [round(one.seconds, 2) for one in recoveries(log, WORLD, [death, *deaths], outages)]

    assert found(10.3) == [0.2]
    assert found(17.1) == [7.0]
    assert found(17.1, outages=(Hit(11.0, 16.0, 0),)) == [2.0]
    owner = exchange(SLOW, "/p/2", 12.0, 12.2, pid=4)
    assert found(17.1, owner, deaths=(Hit(15.1, 15.1, 4, REPORTED),)) == [2.0]  # who had it then died, too
    assert found(17.1, exchange(SLOW, AT_SLOW, 10.05, 10.3, pid=4)) == []  # it was no longer that worker's


def test_recovery_when_all_are_dead() -> None:
    log = [exchange(SLOW, AT_SLOW, 10.0, 10.1, status=0), exchange(SLOW, AT_SLOW, 30.0, 30.1, pid=2)]
    assert [one.seconds for one in recoveries(log, WORLD, [Hit(10.1, 10.1, 1)], [])] == [0.0]


def test_recovery_of_a_host() -> None:
    links = [(page, WORLD.pages[link]) for page in WORLD.pages for link in page.links]
    page, to = next((page, to) for page, to in links if to.host == PACED and WORLD.href(to.number) == to.name)
    log = [exchange(page.host, page.path, 0.0, 0.1, pid=3), exchange(PACED, "/p/x", 9.9, 9.9)]
    log += [exchange(PACED, to.path, 19.0, 19.0, pid=2), exchange(PLAIN, "/p/x", 20.0, 20.1, pid=3)]
    [one] = recoveries(log, WORLD, [Hit(10.0, 10.0, 1, "stopped")], [])
    assert (one.of, one.seconds) == (PACED, 9.0)
    assert len(slow([one], lease=3.0)) == 1
    assert slow([one], lease=5.0) == []
    assert list(summary([one], lease=5.0)) == [
        "stopped, host: 1 times, asked again after 9.00 s (median), 9.00 s (worst) of 10 s"
    ]
    told = Recovery(REPORTED, 1, PACED, 10.0, 9.0, 0.0)
    assert len(slow([told], lease=5.0)) == 1  # at once would have been right
    assert slow([Recovery(REPORTED, 1, PACED, 10.0, 0.5, 0.0)], lease=5.0) == []


def test_what_is_forbidden() -> None:
    assert sitelog.forbidden([exchange(PLAIN, "/p/0", 0.0, 0.1)]) == []
    assert len(sitelog.forbidden([exchange(PLAIN, "/private/1", 0.0, 0.1)])) == 1
    assert len(sitelog.forbidden([exchange(MEMBERS, "/p/9", 0.0, 0.1, status=403)])) == 1


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("is missing", lambda items: items[1:]),
        ("is there twice", lambda items: [*items, items[0]]),
        ("is not of this world", lambda items: [*items, {"path": "127.0.0.2/p/9999"}]),
    ],
)
def test_items(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, change: object) -> None:
    assert callable(change)
    monkeypatch.setattr("tests.cluster.kills.output.OUTPUTS", ["out.jsonl"])
    late = {page.name for page in WORLD.pages if page.number > 500 and page.number % 10 == 0}
    items = [{"path": path} | ({"late": "yes"} if path in late else {}) for path in sorted(WORLD.items)]
    file = tmp_path / "out.jsonl"
    file.write_text("".join(f"{json.dumps(item)}\n" for item in items))
    assert wrong_items(tmp_path, WORLD) == []
    file.write_text("".join(f"{json.dumps(item)}\n" for item in change(items)))
    assert [what in problem for problem in wrong_items(tmp_path, WORLD)] == [True]
