"""Why is nothing sent to a host just now, and for how long?"""

from __future__ import annotations

from typing import NamedTuple

from crawler.frontier.host import HostQueue


class Wait(NamedTuple):
    """What a host waits for; ``seconds`` until that is over, None where it does not end by time alone."""

    why: str
    seconds: float | None = None


READY = Wait("")
"""Something may be sent."""


def wait_of(host: HostQueue, now: float) -> Wait:
    """Return what keeps a host from being asked, the first of these that does.

    1. It has nothing that could be sent.
    2. Somebody has paused it.
    3. Another worker has it.
    4. As many of its requests are in flight as may be.
    5. It asked for patience, or it owes a delay, its own or that of its robots.txt.
    6. All that it has waits for a robots.txt, for its own time (a retry), or is in the store only.
    """
    if not (host.ready or host.delayed or host.asks or host.parked_count or host.stored):
        return Wait("nothing queued")
    if host.halted:
        return Wait("paused")
    if host.permits == 0:
        return Wait("another worker")
    if host.in_flight >= host.limit:
        return Wait("concurrency")
    if host.next_send > now:
        return Wait(_pause(host, now), host.next_send - now)
    if host.waits_for_lease:
        return Wait("store")
    if host.ready or host.asks:
        return READY
    if host.parked_count:
        return Wait("robots.txt")
    if host.delayed:
        seconds = host.delayed[0][0] - now
        return Wait("retry", seconds) if seconds > 0 else READY
    return Wait("store")


def _pause(host: HostQueue, now: float) -> str:
    if host.paused_until > now and host.paused_until >= host.next_send:
        return "Retry-After"
    return "Crawl-delay" if host.crawl_delay > host.delay else "delay"
