"""One world: a site, workers, a server that fails, and what must come of it.

Times are milliseconds. The site sees the true time; the server's clock may be wrong, and workers' clocks drift.
"""

from __future__ import annotations

import random
from itertools import count
from typing import TYPE_CHECKING, Any

from msgspec.msgpack import Decoder

from crawler.errors import StoreError
from crawler.storage.cluster.jobcalls import Opened, Pulled
from crawler.storage.cluster.library import function
from crawler.storage.cluster.wire import Child
from tests.cluster.model import rules
from tests.cluster.model.library import Library
from tests.cluster.model.rules import KEY, Broken

if TYPE_CHECKING:
    from tests.cluster.model.asking import Asking
    from tests.cluster.model.worker import Worker

LEASE = 15_000
CALM_AFTER = 1500
"""Steps after which nothing more goes wrong: only then can it be told whether the crawl ends."""

STEPS = 20_000
"""A crawl that has not ended by then never will."""

DEADLY = 5
"""A request that was the end of so many workers is given up."""

FEED = "items.jsonl"

_opened = Decoder(Opened).decode
_pulled = Decoder(Pulled).decode
_text = Decoder(str).decode


class World:
    """A world by its seed. ``run()`` raises Broken; ``make`` makes a worker in it.

    ``plain``: without stops, pages that kill workers and code that works for itself.
    """

    def __init__(self, library: Library, seed: int, make: type[Worker], *, plain: bool = False) -> None:
        self.library, self.connection = library, library.connection
        self.random = chance = random.Random(seed)
        self._make = make
        self.plain = plain
        self.now = 1_000_000.0
        self.offset = 0.0
        self.steps = self.calls = self.born = self.rolls = 0
        # Some worlds have few hosts with much that may be asked by all, others some with delays.
        self.busy = chance.random() < 0.5
        self.hosts = [f"h{number}" for number in range(chance.randint(1, 2 if self.busy else 4))]
        delays = [0] if self.busy else [0, 0, 300, 2000, 8000]
        self.delay = {host: chance.choice(delays) for host in self.hosts}
        self.concurrency = {host: chance.choice([2, 4, 8] if self.busy else [1, 2, 4, 8]) for host in self.hosts}
        # Hosts that may be overloaded some day, and those that were, as far as the server was told.
        self.sour = {host for host in self.hosts if not self.delay[host] and chance.random() < 0.4}
        self.soured: set[str] = set()
        self._make_pages()
        self.sent: dict[str, list[float]] = {host: [] for host in self.hosts}
        self.open: list[Any] = []
        self.workers: list[Worker] = []
        self.blamed: dict[int, int] = {}
        self.dead: dict[int, int] = {}  # the pages of such requests, by token
        self.chaos = chance.choice([0, 0.02, 0.06])
        self._forgets = chance.random() < 0.5
        self.file: list[bytes] = []
        self._snapshot: dict[bytes, tuple[int, bytes]] = {}
        self._jumped = self._rolled = self._full_until = 0.0
        self.close()
        self.connection.command("FLUSHALL")
        self.connection.command("SET", "run", 1)
        self._script = self.connection.command("SCRIPT", "LOAD", rules.SCRIPT)
        self._open_feed()

    def _make_pages(self) -> None:
        chance = self.random
        self.count = chance.randint(100, 150) if self.busy else chance.randint(5, 60)
        pages = range(self.count)
        self.host_of = {page: chance.choice(self.hosts) for page in pages}
        self.starts = sorted({0, *(chance.randrange(self.count) for _ in range(chance.randint(0, 3)))})
        self.links: dict[int, list[int]] = {page: [] for page in pages}
        for page in range(1, self.count):
            self.links[chance.randrange(page)].append(page)
        for _ in range(self.count * 2):
            self.links[chance.randrange(self.count)].append(chance.randrange(self.count))
        self.stages = {page for page in pages if chance.random() < 0.2}
        # Pages whose items have the same key: a stage lets one of each pass.
        self.twin = {page: chance.randrange(self.count) if chance.random() < 0.3 else -1 for page in pages}
        # Pages that kill whoever works on them, and those that code that works for itself has brought.
        self.deadly = {chance.randrange(self.count) for _ in range(0 if self.plain else chance.choice([0, 0, 1, 2]))}
        self.brought: set[int] = set()
        self.left_aside = 0 if self.plain else chance.choice([0, 8, 40 if self.busy else 20])
        self._numbers = count(10_000)

    def new_pages(self, number: int) -> list[int]:
        """Make pages that nothing links to."""
        pages = [next(self._numbers) for _ in range(number)]
        for page in pages:
            self.host_of[page], self.links[page], self.twin[page] = self.random.choice(self.hosts), [], -1
        return pages

    def key_of(self, page: int) -> int:
        """Return the key of a page's item: its own, or one that others have, too."""
        return self.twin[page] if self.twin[page] >= 0 else 1000 + page

    def child(self, page: int) -> Child:
        """Return the request of a page."""
        return Child(fingerprint_of(page), True, self.host_of[page], page % 3, b"%d" % page)

    # The server

    def set_clock(self) -> None:
        """Let the server have the time of now, for the call that follows."""
        self.calls += 1
        if self._full_until:
            self.connection.command("CONFIG", "SET", "maxmemory", 0)
        self.connection.command("SET", "sim", int(self.now + self.offset))
        if self._full_until:
            self.connection.command("CONFIG", "SET", "maxmemory", 1)

    def call(self, name: str, *words: Any) -> Any:
        """Call a function that is not a turn."""
        self.set_clock()
        return self.connection.call(function(name, self.library.name), KEY, *words)

    def check(self) -> None:
        """Look at the rules on the server."""
        rules.check(self.connection, self._script)

    def _roll_back(self) -> None:
        """The server died with up to 2.5 s of its log not written: all see an older state."""
        self.rolls += 1
        self.connection.command("FLUSHALL")
        for key, (left, value) in self._snapshot.items():
            self.connection.command("RESTORE", key, max(left, 0), value)
        self.connection.command("SET", "run", self.rolls + 1)
        self._snapshot = {}

    def _snap(self) -> None:
        command = self.connection.command
        keys = command("KEYS", f"{KEY}:*")
        self._snapshot = {key: (command("PTTL", key), command("DUMP", key)) for key in keys}

    # The site

    def send(self, worker: Asking, host: str, milliseconds: float) -> list[Any]:
        """A worker asks a host; raises Broken if it must not."""
        delay, sent = self.delay[host], self.sent[host]
        if delay and sent and self.now - sent[-1] < delay - 1:
            raise Broken(f"a gap of {self.now - sent[-1]:.0f} ms, not {delay}, at {host} by {worker.identity}")
        sent.append(self.now)
        exchange = [host, self.now + milliseconds, worker]
        self.open.append(exchange)
        at_once = sum(1 for each in self.open if each[0] == host and each[1] > self.now and not each[2].beyond())
        if at_once > self.concurrency[host]:
            raise Broken(f"{at_once} requests at once, not {self.concurrency[host]}, at {host} by {worker.identity}")
        return exchange

    # The feed

    def _open_feed(self) -> None:
        opened = _opened(self.call("create", FEED))
        self._run = opened.run
        self._was = opened.marks[0][1] or b""
        del self.file[int(self._was or 0) :]

    def feed(self) -> None:
        """Write what was committed, then the mark against the one before."""
        pulled = _pulled(self.call("outbox", len(self.file), 100))
        if pulled.run != self._run:
            self._open_feed()
            return
        self.file += [item for _, item in pulled.rows]
        mark = b"%d" % len(self.file)
        if mark == self._was:
            return
        if _text(self.call("fed", self._run, FEED, len(self.file), mark, self._was)) == "back":
            self._open_feed()
        elif self.random.random() < 0.9:  # else the answer was lost, and it is said again with the next
            self._was = mark

    # Its course

    def run(self) -> None:
        """Let it happen until the crawl is over, and see what came of it. Raises Broken."""
        try:
            self._happen()
            self._verify()
        except StoreError as error:
            raise Broken(str(error)) from error
        finally:
            self.close()

    def _happen(self) -> None:
        for _ in range(self.random.randint(2, 4)):
            self.begin_worker()
        while not self._is_over():
            self.steps += 1
            if self.steps > STEPS:
                raise Broken("the crawl does not end")
            self.now += self.random.choice([1, 5, 20, 50, 200])
            self.open = [each for each in self.open if each[1] > self.now]
            if self.steps > CALM_AFTER:
                self.chaos = 0.0
            self._trouble(self.random.random())
            if not self.workers:
                if self.connection.command("HGET", f"{KEY}:m", "stop"):  # the crawl was stopped: it is resumed
                    self._open_feed()
                self.begin_worker()
            if self.random.random() < 0.05:
                self.feed()
            worker = self.random.choice(self.workers)
            if worker.paused <= self.now:
                worker.step()

    def _is_over(self) -> bool:
        """A worker was told so, and nobody has called the end off, or will."""
        if not any(worker.over for worker in self.workers):
            return False
        works_on = any(worker.asides and worker.is_known() for worker in self.workers)
        return not works_on and self.connection.command("HGET", f"{KEY}:m", "over") is not None

    def begin_worker(self) -> None:
        """Add a worker."""
        self.workers.append(self._make(self))

    def _trouble(self, x: float) -> None:
        chance = self.random
        if self._full_until and (self.now > self._full_until or not self.chaos):
            self._full_until = 0.0
            self.connection.command("CONFIG", "SET", "maxmemory", 0)
        if self._snapshot and self.now >= self._rolled and not self._full_until:
            self._roll_back()
        if x >= self.chaos:
            return
        which = x / self.chaos
        worker = chance.choice(self.workers) if self.workers else None
        if which < 0.53:
            if worker is not None:
                self._trouble_of(worker, which)
        elif which < 0.56 and self.now - self._jumped > 60_000:
            self._jumped = self.now
            self.offset += chance.choice([-3600e3, 3600e3, 2900, 7000, -7000])
        elif which < 0.61:
            self.now += chance.choice([4000, 30000])
        elif which < 0.7 and len(self.workers) < 5:
            self.begin_worker()
        elif which < 0.73:
            self._full_until = self.now + chance.choice([200, 3000])
            self.connection.command("CONFIG", "SET", "maxmemory", 1)
        elif which < 0.85 and self._forgets and not self._full_until and self.now - self._rolled > 60_000:
            self._rolled = self.now + chance.choice([100, 1000, 2500])
            self._snap()
        elif 0.85 <= which < 0.87 and not self.plain:
            self.call("stop", "shutdown")

    def _trouble_of(self, worker: Worker, which: float) -> None:
        if which < 0.2:
            worker.kill()
            if self.random.random() < 0.9:
                self.begin_worker()
        elif which < 0.43:
            worker.paused = self.now + self.random.choice([500, 5000, 20000, 40000])
        else:
            worker.cut = self.now + self.random.choice([2000, 10000, 30000])

    def close(self) -> None:
        """Leave the server as it was."""
        self.connection.command("CONFIG", "SET", "maxmemory", 0)

    def _verify(self) -> None:
        self.chaos = 0.0
        self._trouble(1.0)
        self.feed()
        found = [int(item.split()[0]) for item in self.file]
        pages = {*range(self.count), *(() if self.rolls else self.brought)} - set(self.dead.values())
        if lost := {self.key_of(page) for page in pages} - set(found):
            raise Broken(f"lost {sorted(lost)[:5]}")
        failed = int(self.connection.command("HGET", f"{KEY}:m", "failed") or 0)
        if failed != len(self.dead) and not self.rolls:
            raise Broken(f"{failed} have failed, but {len(self.dead)} were the end of too many workers")
        if len(set(found)) != len(found):
            raise Broken(f"doubled {sorted(key for key in set(found) if found.count(key) > 1)[:5]}")
        for worker in list(self.workers):
            worker.say_last()
        known = [worker for worker in self.workers if worker.is_known()]
        pairs = self.connection.command("HGETALL", f"{KEY}:f")
        facts = {name.decode(): value for name, value in zip(pairs[::2], pairs[1::2], strict=True)}
        cookies = {name: value for name, value in facts.items() if name.startswith("cookie:")}
        for worker in known:
            if worker.cookies != cookies:
                raise Broken(f"{worker.identity} has the cookies {worker.cookies}, not {cookies}")
        for _ in range(LEASE // 1000 + 2):  # who was killed just now is known until its lease is over
            self.now += 1000
            self.call("state", "look")
        rules.check_left(self.connection)


def fingerprint_of(page: int) -> int:
    """Return a page's fingerprint, a signed number of 64 bits."""
    return (page + 1) * 0x9E3779B97F4A7C15 % 2**64 - 2**63
