"""What do workers share? A job as a server would keep it: pure rules, with the time as an argument.

It is made to be read beside the contract in crawler/frontier/store.py, and shows what the engine may rely on.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from crawler.errors import LateWorker, StoreError
from crawler.frontier.host import Key
from crawler.frontier.store import ELSEWHERE, START, Committed, Finished, Grant, MemoryChange, Offer, Report, Told

ALL = 1_000_000
"""The permits of a host's only owner: its own limits decide."""

ASKED_BACK_SECONDS = 1.0
"""So long a host is left to its owner after somebody else began to wait for it."""


@dataclass(slots=True, kw_only=True)
class Row:
    """One request in its stored form."""

    token: int
    priority: int
    host: str
    origin: str
    url: str
    body: bytes
    due: float = 0.0
    doomed: bool = False

    @property
    def key(self) -> Key:
        return (-self.priority, self.token)


@dataclass(slots=True)
class Host:
    """One host: who may ask it, and what waits for it. ``wanted`` has the workers that wait, since when."""

    next_send: float
    delay: float
    shareable: bool = False
    concurrency: int = 1
    holders: dict[str, int] = field(default_factory=dict)
    asks: dict[str, int] = field(default_factory=dict)
    wanted: dict[str, float] = field(default_factory=dict)
    queue: list[tuple[Key, Row]] = field(default_factory=list)

    def ready(self, now: float) -> list[Row]:
        return [row for _, row in self.queue if row.due <= now]


@dataclass(slots=True)
class Member:
    """One worker: what is told it with its next answer."""

    seen: float
    version: int = 0
    room: int = 0
    told: dict[str, tuple[int, Key | None]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Answer:
    """What the listener is told."""

    facts: dict[str, Any] = field(default_factory=dict)
    grants: list[Grant] = field(default_factory=list)
    asks: list[tuple[str, int]] = field(default_factory=list)
    stored: list[tuple[str, int, Key | None]] = field(default_factory=list)
    start: tuple[int, list[int]] | None = None
    hungry: int = 0
    stop: str | None = None
    over: str | None = None


class SharedJob:
    """A job that workers share. ``delay``: seconds after a worker's death until a host of it may be asked."""

    def __init__(self, *, lease: float = 15.0, delay: float = 0.0) -> None:
        self.lease = lease
        self.delay = delay
        self.hosts: dict[str, Host] = {}
        self.members: dict[str, Member] = {}
        self.taken: dict[int, tuple[Row, str]] = {}
        self.seen: set[int] = set()
        self.claims: dict[int, tuple[str, int]] = {}
        self.staged: dict[int, list[tuple[Offer, bytes]]] = {}
        self.items: list[Any] = []
        self.outcomes: dict[str, int] = {}
        self.memory: dict[tuple[str, str], dict[Any, Any]] = {}
        self.facts: dict[str, tuple[int, Any]] = {}
        self.version = self.tokens = 0
        self.start_owner: str | None = None
        self.start_count, self.start_ended = 0, False
        self.start_digests: list[int] = []
        self.stopping: str | None = None
        self.aside: set[str] = set()
        self.buried = 0

    def __repr__(self) -> str:
        return f"<SharedJob {len(self.members)} workers, {self.queued} queued, {len(self.taken)} taken>"

    @property
    def queued(self) -> int:
        return sum(len(host.queue) for host in self.hosts.values())

    @property
    def over(self) -> bool:
        return self.start_ended and self.idle

    @property
    def idle(self) -> bool:
        return not (self.taken or self.queued or self.aside)

    # Workers

    def join(self, worker: str, now: float) -> None:
        self.expire(now)
        self.members[worker] = Member(seen=now)

    def expire(self, now: float) -> None:
        for name, member in list(self.members.items()):
            if now - member.seen > self.lease:
                self.bury(name, now)

    def bury(self, worker: str, now: float) -> None:
        """Whatever a worker had is others' from now on; its hosts rest for their delay first."""
        self.buried += 1
        for host in self.hosts.values():
            if worker in host.holders:
                host.next_send = max(host.next_send, now + host.delay)
        self.leave(worker)

    def leave(self, worker: str) -> None:
        self.members.pop(worker, None)
        self.aside.discard(worker)
        for host in self.hosts.values():
            for place in (host.holders, host.asks, host.wanted):
                place.pop(worker, None)
        for token, (row, owner) in list(self.taken.items()):
            if owner == worker:
                del self.taken[token]
                self.staged.pop(token, None)
                self._queue(row)
        self.claims = {number: claim for number, claim in self.claims.items() if claim[0] != worker}
        if self.start_owner == worker:
            self.start_owner = None

    def called(self, worker: str, now: float) -> Member:
        """Note a call; raises LateWorker."""
        self.expire(now)
        if worker not in self.members:
            raise LateWorker("others do the work of this worker")
        self.members[worker].seen = now
        return self.members[worker]

    # Requests

    def host(self, name: str) -> Host:
        if name not in self.hosts:
            self.hosts[name] = Host(float("-inf"), self.delay)
        return self.hosts[name]

    def _queue(self, row: Row) -> None:
        insort(self.host(row.host).queue, (row.key, row), key=lambda pair: pair[0])

    def own(self, token: int, worker: str) -> Row:
        row, owner = self.taken.get(token, (None, None))
        if row is None or owner != worker:
            raise StoreError(f"request {token} is not this worker's")
        return row

    def take(self, worker: str, name: str, count: int, now: float) -> list[Row]:
        """Take a host's next rows out; none if it was given up with the same call."""
        host = self.host(name)
        rows = host.ready(now)[:count] if worker in host.holders else []
        for row in rows:
            host.queue.remove((row.key, row))
            self.taken[row.token] = row, worker
        return rows

    def give_back(self, worker: str, token: int, due: float) -> None:
        row = self.own(token, worker)
        del self.taken[token]
        row.due = due
        self._queue(row)

    def claim(self, worker: str, token: int, fingerprints: Iterable[int]) -> list[bool]:
        new = []
        for fingerprint in fingerprints:
            new.append(fingerprint not in self.seen and fingerprint not in self.claims)
            if new[-1]:
                self.claims[fingerprint] = worker, token
        return new

    def move(self, worker: str, row: Row, fingerprint: int) -> str:
        """A redirect: "here", "elsewhere" or "duplicate"."""
        self.own(row.token, worker)
        if fingerprint in self.seen or fingerprint in self.claims:
            return "duplicate"
        self.seen.add(fingerprint)
        return self.post(worker, row)

    def post(self, worker: str, row: Row) -> str:
        """A taken request has a new form; at a host that the worker does not hold it is not its own any more."""
        self.own(row.token, worker)
        if worker in self.host(row.host).holders:
            self.taken[row.token] = row, worker
            return "here"
        del self.taken[row.token]
        self._queue(row)
        return "elsewhere"

    # Commits

    def commit(
        self, worker: str, finished: Sequence[tuple[Finished, list[bytes]]], facts: dict[str, Any]
    ) -> list[Committed]:
        for result, _ in finished:
            if result.token == START:
                assert self.start_owner in (None, worker) or not (result.start_count or result.start_ended)
            else:
                self.own(result.token, worker)
        self.learn(facts)
        return [self._commit_one(result, forms) for result, forms in finished]

    def learn(self, facts: dict[str, Any]) -> None:
        for name, value in facts.items():
            self.version += 1
            self.facts[name] = self.version, value

    def _commit_one(self, result: Finished, forms: list[bytes]) -> Committed:
        if result.token == START:
            self.start_count = max(self.start_count, result.start_count)
            self.start_digests += result.start_digests
            self.start_ended = self.start_ended or result.start_ended
        else:
            self.outcomes[result.outcome] = self.outcomes.get(result.outcome, 0) + 1
            del self.taken[result.token]
        for fingerprint in result.fingerprints:
            self.claims.pop(fingerprint, None)
            self.seen.add(fingerprint)
        staged = self.staged.pop(result.token, []) if result.token != START else []
        known = [not self._admit(offer, form) for offer, form in staged]
        admitted = [
            ELSEWHERE if self._admit(offer, form) else None for offer, form in zip(result.children, forms, strict=True)
        ]
        dropped = self._remember(result.memory)
        first = len(self.items) + 1
        self.items += [item for place, item in enumerate(result.items) if place not in dropped]
        return Committed([*admitted], first, {}, sum(known), sorted(dropped))

    def _admit(self, offer: Offer, form: bytes) -> bool:
        known = offer.fingerprint in self.seen or offer.fingerprint in self.claims
        self.seen.add(offer.fingerprint)
        if known and offer.check:
            return False
        self.tokens += 1
        request = offer.request
        self._queue(
            Row(
                token=self.tokens, priority=request.priority, host=offer.host, origin=offer.origin, url=request.url,
                body=form,
            )
        )  # fmt: skip
        return True

    def _remember(self, changes: Sequence[MemoryChange]) -> set[int]:
        """Carry changes of memory out; return the items whose key was there already."""
        dropped = {
            change.item
            for change in changes
            if change.op == "add"
            and change.item >= 0
            and change.key in self.memory.get((change.stage, change.name), {})
        }
        for change in changes:
            if change.item < 0 or change.item not in dropped:
                values = self.memory.setdefault((change.stage, change.name), {})
                if change.op == "del":
                    values.pop(change.key, None)
                else:
                    values[change.key] = change.value
        return dropped

    # What is told and granted

    def hear(self, worker: str, report: Report, now: float) -> None:
        """Take a report in; what is returned has been given back by then."""
        for told in report.told:
            self._told(worker, told, now)
        for name, permits in report.held:
            host = self.host(name)
            host.asks.pop(worker, None)
            host.holders.pop(worker, None)
            if permits:
                host.holders[worker] = permits
        for name, host in self.hosts.items():
            if name not in report.wanted:
                host.wanted.pop(worker, None)
        for name in report.wanted:
            if worker not in self.host(name).holders:
                self.host(name).wanted.setdefault(worker, now)
        self.learn(report.facts)
        if report.aside is not None:
            (self.aside.add if report.aside else self.aside.discard)(worker)

    def _told(self, worker: str, told: Told, now: float) -> None:
        host = self.host(told.host)
        if worker not in host.holders:
            return
        host.next_send = max(host.next_send if len(host.holders) > 1 else float("-inf"), now + told.wait)
        host.delay, host.concurrency, host.shareable = told.delay, told.concurrency, told.shareable
        if not told.shareable:
            host.asks.update(dict.fromkeys(host.holders.keys() - {worker}, 0))

    def answer(self, worker: str, report: Report, now: float) -> Answer:
        """Return what the worker is told."""
        member = self.members[worker]
        answer = Answer(stop=self.stopping, over="finished" if self.over else None)
        if self.idle and not self.start_ended and self.start_owner == worker:
            answer.over = "idle"
        for name in report.wanted:
            self._grant(worker, name, answer, now)
        self._ask_back(now)
        left = report.room if self.stopping is None else 0
        for name in sorted(self.hosts, key=lambda name: self.hosts[name].next_send):
            if left > 0 and not self.hosts[name].wanted and self.hosts[name].ready(now):
                left -= self._grant(worker, name, answer, now)
        member.room = left if not answer.grants else 0
        self._share(worker, answer, now)
        self._start(worker, report, answer)
        answer.hungry = sum(other.room > 0 for name, other in self.members.items() if name != worker)
        answer.facts |= self._news(member, answer)
        answer.stored = self._counts(worker, member, now)
        return answer

    def _grant(self, worker: str, name: str, answer: Answer, now: float) -> bool:
        host = self.hosts[name]
        if worker in host.holders or (host.wanted and next(iter(host.wanted)) != worker):
            return False
        if host.holders and not host.shareable:
            return False
        free = host.concurrency - sum(host.holders.values()) if host.holders else ALL
        if free <= 0:
            return False
        host.wanted.pop(worker, None)
        self._give(worker, name, free, answer, now)
        return True

    def _give(self, worker: str, name: str, permits: int, answer: Answer, now: float) -> None:
        host = self.hosts[name]
        host.holders[worker] = permits
        rows = host.ready(now)
        first = rows[0].key if rows else None
        answer.grants.append(Grant(name, permits, max(host.next_send - now, 0.0), len(rows), first))
        self.members[worker].told[name] = len(rows), first
        names = {"throttle:" + name, "wait:" + name, *("robots:" + row.origin for _, row in host.queue)}
        answer.facts |= {each: self.facts[each][1] for each in names if each in self.facts}

    def _ask_back(self, now: float) -> None:
        """Ask for hosts that somebody waits for, and that others hold."""
        for host in self.hosts.values():
            if not host.wanted or now - next(iter(host.wanted.values())) < ASKED_BACK_SECONDS or not host.holders:
                continue
            most = max(host.holders, key=lambda name: host.holders[name])
            room = host.shareable and host.concurrency > len(host.holders)
            host.asks.setdefault(most, min(host.holders[most], host.concurrency) - 1 if room else 0)

    def _share(self, worker: str, answer: Answer, now: float) -> None:
        """Let those with nothing to do have a part of a host with much; give its only owner all of it back."""
        hungry = any(other.room > 0 for name, other in self.members.items() if name != worker)
        for name, host in self.hosts.items():
            if worker not in host.holders:
                continue
            alone = len(host.holders) == 1
            if hungry and alone and host.shareable and host.concurrency > 1 and len(host.ready(now)) > 1:
                host.asks.setdefault(worker, (host.concurrency + 1) // 2)
            elif alone and host.holders[worker] < ALL and not host.wanted and not host.asks and not hungry:
                self._give(worker, name, ALL, answer, now)
            if worker in host.asks and host.asks[worker] < host.holders[worker]:
                answer.asks.append((name, host.asks[worker]))

    def _start(self, worker: str, report: Report, answer: Answer) -> None:
        if self.start_owner is None and not self.start_ended and report.room and self.stopping is None:
            self.start_owner = worker
            answer.start = self.start_count, list(self.start_digests)

    def _news(self, member: Member, answer: Answer) -> dict[str, Any]:
        known, member.version = member.version, self.version
        return {
            name: value
            for name, (when, value) in self.facts.items()
            if when > known and name.startswith(("cookie", "live:"))
        }

    def _counts(self, worker: str, member: Member, now: float) -> list[tuple[str, int, Key | None]]:
        counts = []
        for name, host in self.hosts.items():
            if worker in host.holders:
                rows = host.ready(now)
                state = len(rows), rows[0].key if rows else None
                if member.told.get(name) != state:
                    member.told[name] = state
                    counts.append((name, *state))
            else:
                member.told.pop(name, None)
        return counts
