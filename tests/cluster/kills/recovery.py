"""How long after the death of a worker does somebody else ask what it had under way, or a host that it held?

Pure: the site's log and what was done to the crawl go in, one ``Recovery`` for each request and host comes out. Not
counted are times at which nobody could go on: the server was away, or every worker was dead or stopped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from tests.cluster.kills.sitelog import (
    SCHEDULING_SECONDS,
    UNCOMMITTED_SECONDS,
    Exchange,
    Hit,
    by_host,
    pending_pages,
)
from tests.cluster.kills.world import DELAYS, HOSTS, MOVING, RETRY_AFTER_SECONDS, World

REPORTED = "worker killed"
"""What is done to a worker whose parent lives, and tells the server."""
HELD_SECONDS = 1.0
"""Who was the last to ask a host, no longer ago than this, held it."""

Span = tuple[float, float]


class Recovery(NamedTuple):
    """``what`` was done to a worker, and ``of``, a request or a host, was asked again ``seconds`` after it.

    ``waits``: so long the host itself may have been left alone.
    """

    what: str
    pid: int
    of: str
    at: float
    seconds: float
    waits: float


def recoveries(log: Sequence[Exchange], world: World, deaths: Sequence[Hit], outages: Sequence[Hit]) -> list[Recovery]:
    """Return all of them, in the order of the deaths; a worker that was stopped counts as dead from then on."""
    return list(_Recoveries(log, world, deaths, outages))


def slow(found: Sequence[Recovery], *, lease: float) -> list[str]:
    """Tell which took more than two leases, and whether deaths that a parent reports wait for the lease, too."""
    problems = [
        f"{one.of} was asked {one.seconds:.1f} s after {one.pid} had it: {one.what} at {one.at:.2f}"
        for one in found
        if one.seconds > 2 * lease + one.waits
    ]
    reported = [one.seconds - one.waits for one in found if one.what == REPORTED]
    if reported and median(reported) > lease / 2:
        problems.append(f"{REPORTED}: the half of all took more than {median(reported):.1f} s, which is not at once")
    return problems


def summary(found: Sequence[Recovery], *, lease: float) -> Iterator[str]:
    """Yield a line for each kind of death."""
    kinds: dict[str, list[float]] = defaultdict(list)
    for one in found:
        kinds[f"{one.what}, {'host' if one.of in HOSTS else 'request'}"].append(one.seconds)
    for kind, seconds in sorted(kinds.items()):
        yield (
            f"{kind}: {len(seconds)} times, asked again after {median(seconds):.2f} s (median), "
            f"{max(seconds):.2f} s (worst) of {2 * lease:.0f} s"
        )


class _Recoveries:
    def __init__(self, log: Sequence[Exchange], world: World, deaths: Sequence[Hit], outages: Sequence[Hit]) -> None:
        self._deaths = sorted(deaths)
        self._world = world
        self._hosts = by_host(log)
        self._pending = pending_pages(log, world)
        self._keys: dict[str, list[Exchange]] = defaultdict(list)
        self._workers: dict[int, list[Exchange]] = defaultdict(list)
        for exchange in log:
            self._keys[exchange.key].append(exchange)
            self._workers[exchange.pid].append(exchange)
        died: dict[int, float] = {}
        for death in self._deaths:
            died.setdefault(death.pid, death.began)
        end = max((one.began for one in log), default=0.0)
        alive = [(asked[0].began, died.get(pid, end)) for pid, asked in self._workers.items()]
        self._out = _united([*((one.began, one.ended) for one in outages), *_gaps(_united(alive))])
        self._units = {page.inline or page.carried: page for page in world.pages if page.inline or page.carried}

    def __iter__(self) -> Iterator[Recovery]:
        for death in self._deaths:
            for one in self._workers[death.pid]:
                if one.path != "/robots.txt" and _was_open(one, death):
                    yield from self._request(one, death)
            for host in self._hosts:
                yield from self._host(host, death)

    def _request(self, one: Exchange, death: Hit) -> Iterator[Recovery]:
        others = [again for key in self._names(one) for again in self._keys[key] if again.pid != death.pid]
        before = any(one.began <= again.began <= death.ended for again in others)  # it was taken from this one
        after = [again for again in others if again.began > death.ended]
        if after and not before:
            again = min(after, key=lambda exchange: exchange.began)
            yield self._recovery(one.key, again, death)

    def _names(self, one: Exchange) -> Iterator[str]:
        """What may be asked when it is done again: a part with the page that it is of, a page by its redirect."""
        page = self._units.get(one.key)
        if page is None and one.path.startswith("/p/"):
            page = self._world.pages[int(one.path[3:])]
        yield page.name if page is not None else one.key
        if page is not None:
            yield f"{MOVING}/r/{page.number}"

    def _host(self, host: str, death: Hit) -> Iterator[Recovery]:
        asked = self._hosts[host]
        before = [one for one in asked if one.began < death.began]
        after = [one for one in asked if one.began > death.ended and one.pid != death.pid]
        held = before and before[-1].pid == death.pid and death.began - before[-1].began < HELD_SECONDS
        waiting = any(
            since < death.began - UNCOMMITTED_SECONDS and first > death.ended for since, first in self._pending[host]
        )
        if held and waiting and after:
            yield self._recovery(host, after[0], death)

    def _recovery(self, of: str, again: Exchange, death: Hit) -> Recovery:
        """Whoever had it in between and died has a recovery of its own: counted is from then on."""
        host = self._hosts[again.host]
        between = {one.pid for one in host if death.ended < one.began < again.began}
        since = max([death, *(hit for hit in self._deaths if hit.pid in between and hit.began < again.began)]).ended
        out = sum(max(0.0, min(again.began, until) - max(since, began)) for began, until in self._out)
        told = any(one.status == 503 and since - RETRY_AFTER_SECONDS < one.began < again.began for one in host)
        waits = DELAYS.get(again.host, 0.0) + (RETRY_AFTER_SECONDS if told else 0.0) + SCHEDULING_SECONDS
        return Recovery(death.what, death.pid, of, death.began, max(0.0, again.began - since - out), waits)


def _was_open(one: Exchange, death: Hit) -> bool:
    if one.began > death.ended:
        return False
    cut = one.status == 0 and one.ended is not None and one.ended >= death.began - SCHEDULING_SECONDS
    return cut or one.ended is None or one.ended > death.ended


def _united(spans: Sequence[Span]) -> list[Span]:
    united: list[Span] = []
    for began, ended in sorted(spans):
        if united and began <= united[-1][1]:
            united[-1] = (united[-1][0], max(united[-1][1], ended))
        elif began <= ended:
            united.append((began, ended))
    return united


def _gaps(spans: Sequence[Span]) -> list[Span]:
    return [(one[1], two[0]) for one, two in pairwise(spans)]
