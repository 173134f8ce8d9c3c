"""What does a worker of the model do at the site, and what has it to tell then?"""

from __future__ import annotations

from random import Random

from crawler.storage.cluster.wire import Change, Claim, Fact, Finish, Move, Put, Stage, Turn
from tests.cluster.model.held import Aside, Host, Unit
from tests.cluster.model.world import DEADLY, LEASE, World, fingerprint_of

SEND_UNTIL = LEASE * 11 / 15
REDIRECTS = 1000
"""A page's target has the fingerprint of the page with a number larger by this."""


class Asking:
    """The half of a worker that asks hosts; ``next`` is the turn that gathers what is to be told."""

    world: World
    random: Random
    identity: str
    drift: float
    good: float
    stepped: float
    units: dict[int, Unit]
    hosts: dict[str, Host]
    waiting: dict[int, Unit]
    start: tuple[int, set[int]] | None
    asides: list[Aside]
    stopping: bool
    next: Turn

    def kill(self, blamed: int | None = None) -> None:
        """See Worker."""

    def since(self, then: float) -> float:
        """Return the milliseconds by this worker's clock."""
        return (self.world.now - then) * self.drift

    def beyond(self) -> bool:
        """Nobody can see or end what a stopped process has open, when its lease is over."""
        return self.world.now - self.good > LEASE and self.world.now - self.stepped > 500

    def host(self, name: str) -> Host:
        """Return what is known of a host."""
        return self.hosts.setdefault(name, Host())

    def break_off(self, unit: Unit) -> None:
        """Close what is open; it is sent again."""
        assert unit.open is not None
        unit.open[1] = self.world.now
        unit.open = None
        host = self.hosts[unit.at]
        host.flying -= 1
        (host.carried if unit.carried else host.queue).append(unit)

    def send(self) -> None:
        """Ask a host, if one may be asked."""
        now = self.world.now
        if self.since(self.good) >= SEND_UNTIL:
            return
        for name in self.random.sample(list(self.hosts), len(self.hosts)):
            host = self.hosts[name]
            line = host.carried or host.queue
            permits = host.permits if host.target is None else min(host.permits, host.target)
            free = host.flying < min(permits, self.world.concurrency[name])
            if line and free and host.next <= now and line[0].not_before <= now:
                unit = line.pop(0)
                slow = 30_000 if self.random.random() < 0.1 else 50
                unit.open = self.world.send(self, name, self.random.choice([1, 50, 400, 3000, slow]))
                unit.at = name
                host.flying += 1
                host.next = now + host.delay(name, self.world)
                host.changed = True
                return

    def answer(self) -> None:
        """Take one answer, and one result of start()."""
        now, chance, said = self.world.now, self.random, self.next
        if not self.stopping:
            self._deliver()
            self._work_aside()
        for unit in list(self.units.values()):
            if not unit.open or unit.open[1] > now:
                continue
            unit.open = None
            self._landed(unit.at)
            x = chance.random()
            if unit.page in self.world.deadly and not unit.carried:
                self.kill(unit.token)
                self.world.begin_worker()
                return
            if x < 0.08:
                self._again(unit, chance.choice([100, 3000, 20000]))
            elif x < 0.25 and not unit.carried and self.world.links[unit.page]:
                unit.carries = chance.choice(self.world.links[unit.page])
                said.claims.append(Claim(unit.token, fingerprint_of(unit.carries)))
                self.waiting[unit.token] = unit
            elif x < 0.35 and not unit.carried and b" " not in unit.payload:
                name, payload = chance.choice(self.world.hosts), unit.payload + b" moved"
                fingerprint = fingerprint_of(unit.page + REDIRECTS)
                said.moves.append(Move(unit.token, name, unit.priority, payload, 0, fingerprint))
                self.waiting[unit.token] = unit
            else:
                self.finish(unit)
            return

    def _landed(self, name: str) -> None:
        """A host has answered, perhaps that it is overloaded: nobody else may ask it then."""
        host = self.hosts[name]
        host.flying -= 1
        if name in self.world.sour and not host.slow and self.random.random() < 0.05:
            host.slow = host.changed = True
            host.next = max(host.next, self.world.now + host.delay(name, self.world))
            self.next.facts.append(Fact(f"throttle:{name}", b"slow", name))

    def _again(self, unit: Unit, wait: int) -> None:
        host = self.hosts[unit.at]
        unit.not_before = self.world.now + wait
        if unit.carried:
            host.carried.append(unit)
        else:
            self.next.posts.append(Put(unit.token, unit.host, unit.priority, unit.payload, wait))
            host.queue.append(unit)

    def finish(self, unit: Unit) -> None:
        """Tell what it brings: an item and links for each page. A stage remembers keys, so far as it sees them here."""
        world, said = self.world, self.next
        del self.units[unit.token]
        pages = [unit.page] + [unit.carries] * (unit.carries >= 0)
        children = [world.child(link) for page in pages for link in world.links[page]]
        fin = Finish(unit.token, fingerprints=[fingerprint_of(page) for page in pages[1:]])
        for key in dict.fromkeys(world.key_of(page) for page in pages):
            if key < 1000:
                fin.memory.append(Change("Stage", "seen", "add", b"%d" % key, b"", len(fin.items)))
            fin.items.append(b"%d of %d" % (key, unit.page))
        if unit.page in world.stages:
            half = len(children) // 2
            said.stages.append(Stage(unit.token, children[:half]))
            children = children[half:]
        fin.children = children
        said.finishes.append(fin)
        if self.random.random() < 0.1:
            said.facts.append(Fact(f"cookie:{unit.page % 3}", b"%d %d" % (unit.page, world.steps)))

    def fail(self, unit: Unit) -> None:
        """A request that was the end of too many workers is given up. What its errback yields is kept."""
        assert unit.deaths >= DEADLY
        self.world.dead[unit.token] = unit.page
        children = [self.world.child(link) for link in self.world.links[unit.page]]
        self.next.finishes.append(Finish(unit.token, outcome="failed", reason="LostWorkers", children=children))
        del self.units[unit.token]

    def _work_aside(self) -> None:
        """Code that works for itself fetches something, and brings an item and a link."""
        chance, said = self.random, self.next
        if self.world.left_aside and len(self.asides) < 2 and chance.random() < 0.02:
            self.world.left_aside -= 1
            self.asides.append(Aside(*self.world.new_pages(2)))
            said.claims.append(Claim(-1, fingerprint_of(self.asides[-1].carries)))
        for aside in self.asides:
            if aside.claimed and not aside.told and chance.random() < 0.1:
                aside.told = True
                items = [b"%d aside" % self.world.key_of(aside.carries)]
                children, own = [self.world.child(aside.page)], [fingerprint_of(aside.carries)]
                said.finishes.append(Finish(-1, items=items, children=children, fingerprints=own))
                return

    def _deliver(self) -> None:
        """Go on with start(), if it is this worker's."""
        if self.start is None or self.random.random() < 0.5:
            return
        count, known = self.start
        for page in self.world.starts:
            if page not in known:
                self.start = count + 1, known | {page}
                self.next.finishes.append(
                    Finish(-1, count=count + 1, digests=[page], children=[self.world.child(page)])
                )
                return
        self.next.finishes.append(Finish(-1, count=count, ended=True))
        self.start = None
