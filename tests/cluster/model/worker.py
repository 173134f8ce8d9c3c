"""One worker of the model: it holds hosts, sends, answers, and speaks to the server as a store does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from crawler.errors import LateWorker
from crawler.storage.cluster.calls import Calls
from crawler.storage.cluster.wire import Change, Claim, Fact, Finish, Move, Put, Reply, Stage, Tell, Turn
from tests.cluster.model.rules import KEY, Broken
from tests.cluster.model.world import LEASE, World, fingerprint_of

SEND_UNTIL = LEASE * 11 / 15
OPEN_UNTIL = LEASE * 12 / 15
REDIRECTS = 1000
"""A page's target has the fingerprint of the page with a number larger by this."""


@dataclass(eq=False)
class Unit:
    """A request that was taken. ``at``: the host that its open exchange is with; ``carries``: a page fetched in it."""

    token: int
    host: str
    payload: bytes
    priority: int
    at: str
    not_before: float = 0.0
    open: list[Any] | None = None
    carried: bool = False
    carries: int = -1

    @property
    def page(self) -> int:
        return int(self.payload.split()[0])


@dataclass(eq=False)
class Host:
    """What a worker knows of a host: ``rows`` of it are on the server."""

    permits: int = 0
    target: int | None = None
    next: float = 0.0
    flying: int = 0
    rows: int = 0
    queue: list[Unit] = field(default_factory=list)
    carried: list[Unit] = field(default_factory=list)
    changed: bool = False


class Worker:
    """One worker. It begins anew, by another name, when it was late."""

    def __init__(self, world: World) -> None:
        self.world, self.random = world, world.random
        self.drift = 1 + self.random.uniform(-0.01, 0.01)
        self.paused = self.cut = 0.0
        self.stepped = world.now
        self.over = self.leaves = False
        self._join()

    def _join(self) -> None:
        world = self.world
        world.born += 1
        self.identity = f"w{world.born}"
        for each in world.open:
            if each[2] is self:
                each[1] = world.now  # a worker that has lost its name closes what is open
        self.units: dict[int, Unit] = {}
        self.hosts: dict[str, Host] = {}
        self.waiting: dict[int, Unit] = {}
        self.start: tuple[int, set[int]] | None = None
        self.number = 0
        self.pending: Turn | None = None
        self.next = Turn()
        self.good = world.now
        self.calls = Calls(world.connection, KEY, self.identity, name=world.library.name)
        world.set_clock()
        self.cookies = {name: value for name, value in self.calls.join().facts if value is not None}

    def kill(self) -> None:
        """It ends at once, and the kernel closes its connections; its parent may tell."""
        world = self.world
        world.workers.remove(self)
        for each in world.open:
            if each[2] is self:
                each[1] = world.now
        if self.random.random() < 0.5:
            blamed = self.random.choice([0, *self.units])
            if world.connection.command("HEXISTS", f"{KEY}:t:{self.identity}", blamed) and self.is_known():
                world.blamed[blamed] = world.blamed.get(blamed, 0) + 1
            world.call("bury", self.identity, blamed)
            world.check()

    def is_known(self) -> bool:
        """Whether the server knows it."""
        return self.world.connection.command("ZSCORE", f"{KEY}:w", self.identity) is not None

    def _since(self, then: float) -> float:
        return (self.world.now - then) * self.drift

    def beyond(self) -> bool:
        """Nobody can see or end what a stopped process has open, when its lease is over."""
        return self.world.now - self.good > LEASE and self.world.now - self.stepped > 500

    def host(self, name: str) -> Host:
        return self.hosts.setdefault(name, Host())

    def step(self) -> None:
        """Do something."""
        self.stepped = self.world.now
        if self._since(self.good) > OPEN_UNTIL:
            for unit in [unit for unit in self.units.values() if unit.open]:
                self._break(unit)
        x = self.random.random()
        if x < 0.35:
            self.turn()
        elif x < 0.7:
            self._send()
        else:
            self._answer()

    def _break(self, unit: Unit) -> None:
        assert unit.open is not None
        unit.open[1] = self.world.now
        unit.open = None
        host = self.hosts[unit.at]
        host.flying -= 1
        (host.carried if unit.carried else host.queue).append(unit)

    # The site

    def _send(self) -> None:
        now = self.world.now
        if self._since(self.good) >= SEND_UNTIL:
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
                host.next = now + self.world.delay[name]
                host.changed = True
                return

    def _answer(self) -> None:
        now, chance, said = self.world.now, self.random, self.next
        self._deliver()
        for unit in list(self.units.values()):
            if not unit.open or unit.open[1] > now:
                continue
            unit.open = None
            self.hosts[unit.at].flying -= 1
            x = chance.random()
            if x < 0.08:
                self._again(unit, chance.choice([100, 3000, 20000]))
            elif x < 0.2 and not unit.carried and self.world.links[unit.page]:
                unit.carries = chance.choice(self.world.links[unit.page])
                said.claims.append(Claim(unit.token, fingerprint_of(unit.carries)))
                self.waiting[unit.token] = unit
            elif x < 0.3 and not unit.carried and b" " not in unit.payload:
                name, payload = chance.choice(self.world.hosts), unit.payload + b" moved"
                fingerprint = fingerprint_of(unit.page + REDIRECTS)
                said.moves.append(Move(unit.token, name, unit.priority, payload, 0, fingerprint))
                self.waiting[unit.token] = unit
            else:
                self._finish(unit)
            return

    def _again(self, unit: Unit, wait: int) -> None:
        host = self.hosts[unit.at]
        unit.not_before = self.world.now + wait
        if unit.carried:
            host.carried.append(unit)
        else:
            self.next.posts.append(Put(unit.token, unit.host, unit.priority, unit.payload, wait))
            host.queue.append(unit)

    def _finish(self, unit: Unit) -> None:
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

    # The server

    def turn(self) -> None:
        """Make a call, which may be lost on its way there or back."""
        world = self.world
        if self.pending is None:
            self.pending = self._made()
        sent, trouble, x = world.now, world.chaos > 0, self.random.random()
        if trouble and (x < 0.03 or self.cut > sent):
            return
        world.set_clock()
        try:
            reply = self.calls.turn(self.number + 1, self.pending)
        except LateWorker:
            self._ended() if self.leaves else self._join()
            return
        finally:
            world.check()
        if trouble and x < 0.08:
            return
        self.number += 1
        self.good = sent
        turn, self.pending = self.pending, None
        self._ended() if self.leaves else self._answered(turn, reply)

    def say_last(self) -> None:
        """Make all calls that are left to make when the crawl is over; raises Broken if something is under way."""
        if any(unit.open for unit in self.units.values()) and self.is_known():
            raise Broken(f"over, but {self.identity} is at work")
        self.cut = self.paused = 0.0
        for _ in range(3):
            self.turn()

    def _ended(self) -> None:
        if self in self.world.workers:
            self.world.workers.remove(self)

    def _answered(self, turn: Turn, reply: Reply) -> None:
        now = self.world.now
        self.cookies.update({fact.name: fact.value for fact in turn.facts})
        self.cookies.update({name: value for name, value in reply.facts if value is not None})
        if reply.full:
            later = self.next
            later.posts[:0], later.moves[:0], later.claims[:0] = turn.posts, turn.moves, turn.claims
            later.stages[:0], later.finishes[:0] = turn.stages, turn.finishes
        else:
            self._carried_out(turn, reply)
        for grant in reply.grants:
            host = self.host(grant.host)
            host.permits, host.target, host.rows, host.changed = grant.permits, None, grant.queued, True
            host.next = max(host.next, now + grant.wait)
        for name, permits in reply.asks:
            if self.host(name).permits > permits:
                self.host(name).target = permits
        for stored in reply.stored:
            self.host(stored.host).rows = stored.count
        if reply.begin is not None:
            self.start = reply.begin.count, {int(digest) for digest in reply.begin.digests}
            self._check_start()
        self.over = bool(reply.over)

    def _check_start(self) -> None:
        for other in self.world.workers:
            if other is not self and other.start is not None and other.is_known() and not self.world.rolls:
                raise Broken(f"{self.identity} and {other.identity} both run start()")

    def _carried_out(self, turn: Turn, reply: Reply) -> None:
        for claim, mark in zip(turn.claims, reply.claims, strict=True):
            unit = self.waiting.pop(claim.token)
            if mark == "1":
                unit.carried = True
                self.host(self.world.host_of[unit.carries]).carried.append(unit)
            else:
                unit.carries = -1
                self._finish(unit)
        for move, word in zip(turn.moves, reply.moves, strict=True):
            unit = self.waiting.pop(move.token)
            if word == "duplicate":
                raise Broken(f"the target of {unit.payload!r} is taken for a duplicate")
            if word == "here":
                unit.host, unit.payload = move.host, move.payload
                self.host(move.host).queue.append(unit)
            else:
                del self.units[unit.token]
        for (name, _), rows in zip(turn.takes, reply.takes, strict=True):
            for row in rows:
                if not self.world.rolls and row.deaths != self.world.blamed.get(row.token, 0):
                    raise Broken(f"{row.token} has {row.deaths} deaths, not {self.world.blamed.get(row.token, 0)}")
                unit = Unit(row.token, name, row.payload, row.priority, name)
                self.units[row.token] = unit
                self.host(name).queue.append(unit)

    def _made(self) -> Turn:
        """Make the next turn of what was gathered, and of what is to be told of hosts."""
        chance = self.random
        turn, self.next = self.next, Turn()
        if chance.random() < 0.2:
            self.next.finishes, turn.finishes = turn.finishes, []
            self.next.stages, turn.stages = turn.stages, []
        for name, host in self.hosts.items():
            self._tell(turn, name, host)
            idle = host.permits and not (host.flying or host.queue or host.carried) and chance.random() < 0.3
            goal = 0 if idle else host.target
            if goal is not None and goal < host.permits and host.flying <= goal:
                self._go_down(turn, name, host, goal)
            elif host.permits and not idle and host.rows and len(host.queue) < 3:
                turn.takes.append((name, 4))
            if (host.carried or host.queue) and not host.permits:
                turn.wants.append(name)
        turn.room = chance.choice([0, 1, 2]) if self._since(self.good) < SEND_UNTIL else 0
        leaves = self.world.chaos and chance.random() < 0.002
        if leaves and not any(unit.open for unit in self.units.values()):
            turn.leave = self.leaves = True
        return turn

    def _go_down(self, turn: Turn, name: str, host: Host, goal: int) -> None:
        turn.holds.append((name, goal))
        host.permits, host.target = goal, None
        if goal:
            return
        for unit in host.queue:
            wait = int(max(0, unit.not_before - self.world.now))
            turn.returns.append(Put(unit.token, name, unit.priority, unit.payload, wait))
            del self.units[unit.token]
        host.queue = []

    def _tell(self, turn: Turn, name: str, host: Host) -> None:
        if host.changed and host.permits:
            delay, concurrency = self.world.delay[name], self.world.concurrency[name]
            shareable = not delay and concurrency > 1
            turn.tells.append(Tell(name, int(max(0, host.next - self.world.now)), shareable, concurrency, delay))
        host.changed = False
