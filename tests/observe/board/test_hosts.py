from __future__ import annotations

from collections.abc import Iterable

import pytest

from crawler.errors import UsageError
from crawler.frontier.frontier import Frontier, LimitsByHost
from crawler.frontier.host import Entry, HostLimits, HostQueue
from crawler.frontier.hosts import Hosts
from crawler.frontier.shared import SharedFrontier
from crawler.model.request import Request
from crawler.observe.board import hosts
from crawler.observe.board.hosts import ORDER_SECONDS, HostTable
from crawler.observe.board.shown import HostPage

LIMITS = LimitsByHost(HostLimits(8, 1.0, None))


class Standing:
    """A crawl that stands still, and its clock."""

    state, queued, in_flight, full, commits = "running", 0, 0, False, (0, 0.0)

    def __init__(self, frontier: Frontier) -> None:
        self.hosts: Hosts = frontier.queues
        self.now = 0.0

    def seconds(self) -> float:
        return self.now

    wall = seconds

    def callLater(self, delay: float, call: object, *args: object) -> None:
        raise AssertionError("nothing is called later")

    def host_of(self, request: Request) -> str:
        return request.host

    def slowed(self, host: str) -> bool:
        return False

    def robots(self, host: HostQueue) -> str:
        return ""

    def paused(self, host: str) -> bool:
        return False

    def feeds(self) -> Iterable[tuple[str, int]]:
        return []


def table(*queued: tuple[str, int], frontier: Frontier | None = None) -> tuple[HostTable, Standing, Frontier]:
    """Return a table of hosts with so many requests each."""
    if frontier is None:
        frontier = Frontier(window=None, limits=LIMITS, random=lambda: 0.5, robots=False)
    for host, count in queued:
        for order in range(count):
            frontier.add(Entry(Request(f"http://{host}/{order}"), token=0, order=order, host=host, origin=""), 0.0)
    crawl = Standing(frontier)
    return HostTable(crawl, crawl), crawl, frontier  # type: ignore[arg-type]


def names(page: HostPage) -> list[str]:
    return [row.name for row in page.rows]


def test_hosts_are_sorted_and_those_with_as_many_by_name() -> None:
    shown, _, _ = table(("b.test", 2), ("a.test", 2), ("c.test", 5), ("d.test", 1))
    assert names(shown.page(1, "queued", descending=True, containing="")) == ["c.test", "a.test", "b.test", "d.test"]
    assert names(shown.page(1, "queued", descending=False, containing="")) == ["d.test", "a.test", "b.test", "c.test"]
    assert names(shown.page(1, "name", descending=True, containing="")) == ["d.test", "c.test", "b.test", "a.test"]
    shown.count("b.test", error=True)
    assert names(shown.page(1, "errors", descending=True, containing=""))[0] == "b.test"
    with pytest.raises(UsageError, match="by name, queued, in_flight, delay, concurrency, pages, errors"):
        shown.page(1, "robots", descending=True, containing="")


def test_a_page_has_200_rows_and_one_beyond_the_last_is_the_last() -> None:
    shown, _, _ = table(*[(f"h{number:03}.test", 1) for number in range(450)])
    third = shown.page(7, "name", descending=False, containing="")
    assert (third.total, third.page, third.pages, len(third.rows)) == (450, 3, 3, 50)
    assert names(third)[0] == "h400.test"
    found = shown.page(1, "name", descending=False, containing="h44")
    assert (found.total, found.pages) == (10, 1)
    nothing = shown.page(1, "name", descending=False, containing="nothing of that kind")
    assert (nothing.total, nothing.page, nothing.pages, list(nothing.rows)) == (0, 1, 1, [])


def test_who_turns_the_pages_sees_one_order_until_it_is_made_anew() -> None:
    shown, crawl, frontier = table(("a.test", 1), ("b.test", 2))
    assert names(shown.page(1, "queued", descending=True, containing="")) == ["b.test", "a.test"]
    for order in range(5):
        frontier.add(Entry(Request(f"http://c.test/{order}"), token=0, order=order, host="c.test", origin=""), 0.0)
    assert names(shown.page(1, "queued", descending=True, containing="")) == ["b.test", "a.test"]
    crawl.now += ORDER_SECONDS
    assert names(shown.page(1, "queued", descending=True, containing="")) == ["c.test", "b.test", "a.test"]


def test_a_host_that_the_frontier_has_forgotten_is_still_shown() -> None:
    shown, _, _ = table(("a.test", 1))
    shown.count("gone.test", error=False)
    page = shown.page(1, "pages", descending=True, containing="")
    assert [(row.name, row.pages, row.why) for row in page.rows] == [
        ("gone.test", 1, "nothing queued"),
        ("a.test", 0, ""),
    ]
    assert len(shown) == 2
    assert shown.row("gone.test") == page.rows[0]
    assert shown.row("never.test") is None


def test_a_crawl_of_any_number_of_hosts_takes_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "MOST_HOSTS", 100)
    shown, _, _ = table()
    for number in range(1000):
        name = f"h{number}.test"
        shown.count(name, error=False)
        shown.paced(name, "status 503")
        shown.touched.add(name)
        shown.tick(number + 1)
    assert len(shown) <= 100
    assert [row.name for row in shown.changed(950)] == [f"h{number}.test" for number in range(999, 949, -1)]
    assert len(shown.changed(0)) == 100


def test_a_worker_shows_which_of_its_hosts_others_have() -> None:
    frontier = SharedFrontier(window=None, limits=LIMITS, random=lambda: 0.5, robots=False)
    frontier.permit("mine.test", 2, 0.0, wait=0.0)
    frontier.told("mine.test", 40, (0, 1), 0.0)
    shown, _, _ = table(("mine.test", 3), ("other.test", 1), frontier=frontier)
    page = shown.page(1, "queued", descending=True, containing="")
    assert [(row.name, row.queued, row.why) for row in page.rows] == [
        ("mine.test", 43, ""),
        ("other.test", 1, "another worker"),
    ]
