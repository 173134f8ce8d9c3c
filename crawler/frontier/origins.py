"""May the entries of this origin go, as far as its robots.txt is concerned?

unknown → asked (its robots.txt is under way) → open or refused; and back to unknown when what is known
has expired. Only entries of open origins are ready; the others are parked at their hosts.
"""

from __future__ import annotations

from collections.abc import Callable

from crawler.frontier.host import Entry, HostQueue, Item
from crawler.model.request import Request

UNKNOWN = "unknown"
ASKED = "asked"
OPEN = "open"
REFUSED = "refused"


class Origin:
    """What is known of one origin; ``hosts`` are the slots that may have entries of it.

    ``delay`` is its Crawl-delay in seconds; ``to_be_asked``: some host has it among its ``asks``.
    """

    __slots__ = ("delay", "hosts", "name", "state", "to_be_asked")

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = UNKNOWN
        self.delay = 0.0
        self.to_be_asked = False
        self.hosts: set[HostQueue] = set()

    def __repr__(self) -> str:
        return f"<Origin {self.name} {self.state}>"


class Origins:
    """What is known of all origins. ``closed`` False: robots.txt is not obeyed, every origin is open."""

    def __init__(self, *, closed: bool) -> None:
        self.closed = closed
        self._origins: dict[str, Origin] = {}

    def __repr__(self) -> str:
        return f"<Origins {len(self._origins)}>"

    def state(self, name: str) -> str:
        """Return "unknown", "asked", "open" or "refused"."""
        origin = self._origins.get(name)
        return UNKNOWN if origin is None else origin.state

    def origin(self, name: str) -> Origin:
        """Return the record of an origin, making it."""
        origin = self._origins.get(name)
        if origin is None:
            origin = self._origins[name] = Origin(name)
        return origin

    def passes(self, entry: Entry) -> bool:
        """Tell whether an entry may go if origins are closed. Robots.txt itself always may, and those of no origin."""
        return entry.robots or not entry.origin or self.state(entry.origin) == OPEN

    def admit(self, host: HostQueue, item: Item) -> bool:
        """Tell whether an item may become ready; else it is parked, and its robots.txt is asked for."""
        entry = item[2]
        if entry.robots or not entry.origin:
            return True
        origin = self.touch(host, entry.origin)
        if origin.state == OPEN:
            return True
        host.park(item)
        self.ask(host, origin)
        return False

    def expect(self, host: HostQueue, entry: Entry) -> None:
        """Note that the host has an entry that will ask later whether its origin is open."""
        if self.closed and entry.origin:
            self.touch(host, entry.origin)

    def touch(self, host: HostQueue, name: str) -> Origin:
        """Note that the host has entries of an origin: its Crawl-delay holds for it from now on."""
        origin = self.origin(name)
        if host not in origin.hosts:
            origin.hosts.add(host)
            if name not in host.origins:
                host.origins += (name,)
            host.crawl_delay = max(host.crawl_delay, origin.delay)
        return origin

    @staticmethod
    def ask(host: HostQueue, origin: Origin) -> None:
        """Have this host ask for the robots.txt of an origin, unless that is under way."""
        if not origin.to_be_asked and origin.state != ASKED:
            origin.to_be_asked = True
            host.asks.append(origin.name)

    def unask(self, host: HostQueue) -> None:
        """Let a host ask for no robots.txt any more: whoever has entries of the origin next will."""
        for name in host.asks:
            self._origins[name].to_be_asked = False

    def next_asked(self, host: HostQueue) -> Entry | None:
        """Return an entry for the next robots.txt that the host has to ask for."""
        while host.asks:
            origin = self._origins[host.asks.popleft()]
            origin.to_be_asked = False
            if origin.state in (UNKNOWN, REFUSED):
                origin.state = ASKED
                return robots_entry(origin.name, host.name)
        return None

    def open(self, name: str, delay: float, random: Callable[[], float]) -> set[HostQueue]:
        """Open an origin and return the hosts that may have got something ready."""
        origin = self.origin(name)
        before, origin.delay, origin.state = origin.delay, delay, OPEN
        for host in origin.hosts:
            if delay > host.crawl_delay:
                host.crawl_delay = delay
                host.pace(random)
            elif delay < before == host.crawl_delay:  # the host's longest, until now
                host.crawl_delay = max(each.delay for each in self._origins.values() if host in each.hosts)
            host.push_all(host.unpark(name))
        return origin.hosts

    def reclose(self, name: str) -> list[HostQueue]:
        """Forget an origin's robots.txt and return the hosts that have to ask for it at once."""
        origin = self.origin(name)
        origin.state = UNKNOWN
        waiting = [host for host in origin.hosts if host.parked.get(name)]
        for host in waiting:
            self.ask(host, origin)
        return waiting

    def refuse(self, name: str) -> tuple[list[Entry], set[HostQueue]]:
        """Remove and return the waiting entries of an origin, and the hosts they waited at."""
        origin = self.origin(name)
        origin.state = REFUSED
        return [entry for host in origin.hosts for entry in host.remove_origin(name)], origin.hosts

    def forget_origin(self, name: str, now: float) -> bool:
        """Forget an origin unless one of its hosts has or expects something, or owes a delay; tell whether it is
        forgotten."""
        origin = self._origins.get(name)
        if origin is None:
            return True
        if origin.state is ASKED or origin.to_be_asked or not all(host.may_be_forgotten(now) for host in origin.hosts):
            return False
        del self._origins[name]
        return True

    def forget(self, hosts: set[HostQueue]) -> None:
        """Let go of hosts that may be forgotten. Their origins stay until `forget_origin`, with their robots.txt."""
        for origin in self._origins.values():
            origin.hosts -= hosts


def robots_entry(origin: str, host: str) -> Entry:
    """Make the entry that asks for robots.txt: without a token, and before all others of its host."""
    entry = Entry(Request(origin + "/robots.txt"), token=0, order=0, host=host, origin=origin, robots=True)
    entry.key = (-(2**62), 0)
    return entry
