"""One worker of the model: it holds hosts, sends, answers, and speaks to the server as a store does."""

from __future__ import annotations

from crawler.errors import LateWorker
from crawler.storage.cluster.calls import Calls
from crawler.storage.cluster.dealing import IDLE
from crawler.storage.cluster.wire import Put, Reply, Turn
from tests.cluster.model.asking import SEND_UNTIL, Asking
from tests.cluster.model.held import Aside, Host, Unit
from tests.cluster.model.rules import KEY, Broken
from tests.cluster.model.world import DEADLY, LEASE, World, fingerprint_of

OPEN_UNTIL = LEASE * 12 / 15


class Worker(Asking):
    """One worker. It begins anew, by another name, when it was late."""

    def __init__(self, world: World) -> None:
        self.world, self.random = world, world.random
        self.drift = 1 + self.random.uniform(-0.01, 0.01)
        self.paused = self.cut = 0.0
        self.stepped = world.now
        self.leaves = False
        self.frank = world.plain or self.random.random() < 0.5  # it tells of what works aside before it must
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
        self.over = self.stopping = self.told_aside = self.objects = False
        self.asides: list[Aside] = []
        self.number = self.tries = 0
        self.pending: Turn | None = None
        self.next = Turn()
        self.good = world.now
        self.calls = Calls(world.connection, KEY, self.identity, name=world.library.name)
        world.set_clock()
        self.cookies = {name: value for name, value in self.calls.join().facts if value is not None}

    def kill(self, blamed: int | None = None) -> None:
        """It ends at once, and the kernel closes its connections. Its parent may tell, and does what is to blame."""
        world = self.world
        world.workers.remove(self)
        for each in world.open:
            if each[2] is self:
                each[1] = world.now
        if blamed is not None or self.random.random() < 0.5:
            if blamed is None:
                blamed = self.random.choice([0, *self.units])
            if world.connection.command("HEXISTS", f"{KEY}:t:{self.identity}", blamed) and self.is_known():
                world.blamed[blamed] = world.blamed.get(blamed, 0) + 1
            world.call("bury", self.identity, blamed)
            world.check()

    def is_known(self) -> bool:
        """Whether the server knows it."""
        return self.world.connection.command("ZSCORE", f"{KEY}:w", self.identity) is not None

    def step(self) -> None:
        """Do something."""
        self.stepped = self.world.now
        if self.since(self.good) > OPEN_UNTIL:
            for unit in [unit for unit in self.units.values() if unit.open]:
                self.break_off(unit)
        x = self.random.random()
        if x < 0.35 or self.leaves or self.over:  # who has said that it leaves asks nobody any more
            self.turn()
        elif x < 0.7:
            if not self.stopping:
                self.send()
        else:
            self.answer()

    # The server

    def turn(self) -> None:
        """Make a call, which may be lost on its way there or back."""
        world = self.world
        if self.pending is None:
            self.pending, self.tries = self._made(), 0
        sent, trouble, x = world.now, world.chaos > 0, self.random.random()
        if trouble and (x < 0.03 or self.cut > sent):
            return
        self.tries += 1
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
        known = {fact.name: fact.value for fact in turn.facts}
        self.world.soured |= {name.partition(":")[2] for name in known if name.startswith("throttle:")}
        known |= {name: value for name, value in reply.facts if value is not None}
        self.cookies.update({name: value for name, value in known.items() if name.startswith("cookie:")})
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
            host.slow = host.slow or f"throttle:{grant.host}" in known
            self._check_slow(grant.host)
        for name, permits in reply.asks:
            if self.host(name).permits > permits:
                self.host(name).target = permits
        for stored in reply.stored:
            self.host(stored.host).rows = stored.count
        if reply.begin is not None:
            self.start = reply.begin.count, {int(digest) for digest in reply.begin.digests}
            self._check_start()
        self.stopping = bool(reply.stopping)
        self._check_over(reply)

    def _check_over(self, reply: Reply) -> None:
        """It is not over while anybody has said that code works for itself there. Who has begun unheard objects."""
        if not reply.over:
            return
        for each in self.world.workers:
            if each.told_aside and each.is_known() and not self.world.rolls and self.tries == 1:
                raise Broken(f"over, but {each.identity} has something aside")
        if reply.over == IDLE:  # start() goes on, and here as ever
            return
        self.objects = bool(self.asides)
        self.over = not self.asides

    def _check_slow(self, name: str) -> None:
        """Who gets a host that was overloaded knows that, and has it alone."""
        if name not in self.world.soured or self.world.rolls or self.tries > 1:
            return
        if not self.hosts[name].slow:
            raise Broken(f"{self.identity} is not told that {name} was overloaded")
        for other in self.world.workers:
            host = other.hosts.get(name)
            if other is not self and host and host.permits and host.slow and other.is_known():
                raise Broken(f"{name} was overloaded, and {other.identity} and {self.identity} have it")

    def _check_start(self) -> None:
        for other in self.world.workers:
            if other is not self and other.start is not None and other.is_known() and not self.world.rolls:
                raise Broken(f"{self.identity} and {other.identity} both run start()")

    def _carried_out(self, turn: Turn, reply: Reply) -> None:
        if turn.aside is not None:
            self.told_aside = turn.aside
        for finish in turn.finishes:
            if finish.token == -1 and finish.items:
                self._brought(finish.fingerprints[0])
        for claim, mark in zip(turn.claims, reply.claims, strict=True):
            if claim.token == -1:
                next(each for each in self.asides if fingerprint_of(each.carries) == claim.fingerprint).claimed = True
                continue
            unit = self.waiting.pop(claim.token)
            if mark == "1":
                unit.carried = True
                self.host(self.world.host_of[unit.carries]).carried.append(unit)
            else:
                unit.carries = -1
                self.finish(unit)
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
                unit = Unit(row.token, name, row.payload, row.priority, name, deaths=row.deaths)
                self.units[row.token] = unit
                if row.deaths < DEADLY:
                    self.host(name).queue.append(unit)
                else:
                    self.fail(unit)

    def _brought(self, fingerprint: int) -> None:
        """The results of something aside are kept."""
        [aside] = [each for each in self.asides if fingerprint_of(each.carries) == fingerprint]
        self.asides.remove(aside)
        self.world.brought |= {aside.page, aside.carries}

    def _made(self) -> Turn:
        """Make the next turn of what was gathered, and of what is to be told of hosts."""
        chance = self.random
        turn, self.next = self.next, Turn()
        if chance.random() < 0.2:
            self.next.finishes, turn.finishes = turn.finishes, []
            self.next.stages, turn.stages = turn.stages, []
        for name, host in self.hosts.items():
            if host.changed and host.permits:
                turn.tells.append(host.tell(name, self.world))
            host.changed = False
            self._tire_of(turn, name, host)
            idle = host.permits and not (host.flying or host.queue or host.carried) and chance.random() < 0.3
            goal = 0 if idle else host.target
            if goal is not None and goal < host.permits and host.flying <= goal:
                self._go_down(turn, name, host, goal)
            elif host.permits and not idle and host.rows and len(host.queue) < 3:
                turn.takes.append((name, 4))
            if (host.carried or host.queue) and not host.permits:
                turn.wants.append(name)
                turn.tells.append(host.tell(name, self.world))
        aside = bool(self.asides) and (self.frank or self.objects)
        if aside is not self.told_aside:
            turn.aside = aside
        turn.room = chance.choice([0, 1, 2]) if self.since(self.good) < SEND_UNTIL else 0
        leaves = self.over or self.stopping or (self.world.chaos and chance.random() < 0.01)
        if leaves and not any(unit.open for unit in self.units.values()):
            turn.leave = self.leaves = True
        return turn

    def _tire_of(self, turn: Turn, name: str, host: Host) -> None:
        """Somebody may not wait for a host any longer: the whole request goes back."""
        if host.carried and not host.permits and self.random.random() < 0.05:
            unit = host.carried.pop(0)
            del self.units[unit.token]
            turn.returns.append(Put(unit.token, unit.host, unit.priority, unit.payload, 0))

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
