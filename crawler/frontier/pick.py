"""Which of a host's waiting entries goes next?"""

from __future__ import annotations

from heapq import heappop, heappush

from crawler.frontier.entry import Entry
from crawler.frontier.host import HostQueue
from crawler.frontier.origins import Origins
from crawler.frontier.window import Window


def next_entry(host: HostQueue, now: float, origins: Origins, window: Window | None) -> Entry | None:
    """Take the host's next entry; None if nothing may go by time, robots.txt and order.

    1. What was delayed until now joins the others.
    2. A robots.txt that has to be asked for comes first.
    3. What sorts behind something that is in the store only waits for it.
    4. What is ready goes by its key; if its origin was closed again meanwhile it is parked.
    """
    while host.delayed and host.delayed[0][0] <= now:
        item = heappop(host.delayed)[1]
        if origins.admit(host, item):
            heappush(host.ready, item)
    while True:
        if host.asks:
            asked = origins.next_asked(host)
            if asked is not None:
                return asked
        if not host.ready or (host.stored and window is not None and window.must_refill_first(host)):
            return None
        item = heappop(host.ready)
        if origins.passes(item[2]):
            return item[2]
        origins.admit(host, item)
