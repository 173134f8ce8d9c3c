"""May this origin be asked yet, and this URL of it at all?

robots.txt is the first request of every origin; until it is answered the frontier keeps the origin
closed. It obeys delays and limits like any request, but is exempt from filters, dedupe and the job, and
carries no user's credentials. RFC 9309 says what each outcome means.

What was learned is kept for a day, of the origins used last: a crawl of a million hosts must not hold a
million files. An origin that is forgotten is asked again when something for it comes.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from crawler.config.schema import CoreSettings
from crawler.engine.clock import Clock
from crawler.engine.waiting.origin_rules import Known, Refused
from crawler.errors import RobotsUnreachable
from crawler.frontier.frontier import Frontier
from crawler.frontier.host import Entry
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import host_of, join
from crawler.policy.retry import RetryRules, backoff, may_pass, retry_after
from crawler.policy.robots import SIZE_LIMIT, RobotsOutcome, RobotsRules, robots_outcome
from crawler.policy.verdict import Drop

logger = logging.getLogger(__name__)

VALID_SECONDS = 86_400.0
"""How long an answer holds (RFC 9309 §2.4: no longer than 24 hours)."""

STALE_SECONDS = 30 * VALID_SECONDS
"""How long it holds while robots.txt cannot be had again (§2.4: a cached file may then be older; §2.3.1.4
calls 30 days a reasonably long time)."""

KEPT_ORIGINS = 10_000
"""From so many known origins on, those used least lately are forgotten, if nothing waits for them."""

KEPT_BYTES = 64_000_000
"""The same, for the memory that their rules take, roughly: one site may have many hosts and huge files."""

REDIRECTS = 5
"""How many redirects are followed (RFC 9309 §2.3.1.2: at least five)."""

FACT_PREFIX = "robots:"
"""Before an origin: the name of the fact that keeps its file, ``{"wall": …, "body": …}``."""


class RobotsGate:
    """Opens and closes origins at the frontier, and judges URLs. ``durable``: whether facts are collected.

    ``known`` has the origins, the last used last; ``size`` is roughly how many bytes their rules take.
    """

    def __init__(
        self,
        core: CoreSettings,
        frontier: Frontier,
        clock: Clock,
        agent: str,
        *,
        random: Callable[[], float],
        durable: bool,
    ) -> None:
        self._core = core
        self._frontier = frontier
        self._clock = clock
        self._agent = agent
        self._random = random
        self._durable = durable
        self._backoff = RetryRules(retry_backoff=core.RETRY_BACKOFF, retry_backoff_max=core.RETRY_BACKOFF_MAX)
        self.known: OrderedDict[str, Known] = OrderedDict()  # the last used is the last
        self.size = 0
        self._sweep_at = (KEPT_ORIGINS, KEPT_BYTES)
        self._tries: dict[str, int] = {}
        self._redirects: dict[str, int] = {}
        self._facts: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<RobotsGate {len(self.known)} origins>"

    def request(self, entry: Entry) -> Request:
        """Return the robots.txt request as it is sent."""
        if "robots" in entry.request.meta:
            return entry.request
        # Of a larger file the beginning counts (RFC 9309 §2.5).
        meta = {"robots": True, "dont_merge_cookies": True, "download_maxsize": 10 * SIZE_LIMIT, "download_cut": True}
        request: Request = entry.request.replace(meta=meta)
        return request

    def unreachable(self, entry: Entry) -> RobotsUnreachable | None:
        """Return the error of an entry whose origin could not be asked lately."""
        known = self.known.get(entry.origin)
        if known is None or known.error is None:
            return None
        if known.until <= self._clock.seconds():
            del self.known[entry.origin]
            self._frontier.reclose_origin(entry.origin)
            return None
        return known.error

    def too_soon(self, entry: Entry) -> Refused | None:
        """Return what follows if a taken robots.txt request is not to be sent: the last one failed lately.

        A redirect or a retry led to an origin that was out of reach; its entries do not come by ``unreachable``.
        """
        known = self.known.get(entry.origin)
        if known is None or known.error is None or known.until <= self._clock.seconds():
            return None
        return Refused(self._frontier.drop_origin(entry.origin), known.error)

    def expired(self, entry: Entry) -> bool:
        """Close the origin of a taken entry if its robots.txt is too old; tell whether the entry has to wait for it.

        Where robots.txt could not be had again the entry goes by the old one: each time somebody gets on.
        """
        known = self.known.get(entry.origin)
        if known is None or known.rules is None or known.until > self._clock.seconds():
            return False
        self._frontier.reclose_origin(entry.origin)
        return not known.renewed

    def refusal(self, entry: Entry) -> Drop | None:
        """Return why a taken entry may not be sent, None if it may."""
        known = self.known.get(entry.origin)
        if known is None or known.rules is None:
            return None
        self.known.move_to_end(entry.origin)
        rule = known.rules.rule_for(entry.request.normal_url)
        if rule is None or rule.allow:
            return None
        return Drop("robots", f"robots.txt of {entry.origin} says {rule}")

    def answered(self, entry: Entry, outcome: Response | Exception) -> Refused | None:
        """Act on the outcome of a robots.txt request that was released from its slot."""
        now = self._clock.seconds()
        if isinstance(outcome, Response) and 300 <= outcome.status < 400:
            target = self._target(entry, outcome)
            if target is not None:
                if host_of(target) != host_of(entry.request.url):  # else it stays in its slot
                    entry.host = host_of(target)
                entry.request = entry.request.replace(url=target)
                self._frontier.later(entry, now, now + self._asked_wait(outcome))
                return None
        meaning = robots_outcome(outcome if isinstance(outcome, Exception) else outcome.status)
        if meaning is RobotsOutcome.UNREACHABLE or self._asks_for_patience(entry, outcome):
            return self._failed(entry, outcome, now)
        body = outcome.body if isinstance(outcome, Response) and meaning is RobotsOutcome.PARSE else None
        self._open(entry.origin, body, now)
        return None

    def _target(self, entry: Entry, response: Response) -> str | None:
        times = self._redirects.get(entry.origin, 0) + 1
        self._redirects[entry.origin] = times
        location = response.headers.text("Location")
        if location is None or times > REDIRECTS:
            return None
        try:
            target = join(entry.request.url, location)
        except ValueError:
            return None
        return target if target.startswith(("http://", "https://")) else None

    def _asks_for_patience(self, entry: Entry, outcome: Response | Exception) -> bool:
        """Tell whether a 429 is no answer yet: it may be tried again, or would undo what is known."""
        if not isinstance(outcome, Response) or outcome.status != 429:
            return False
        return self._retries_left(entry) or self._still_holds(entry.origin) is not None

    def _asked_wait(self, response: Response) -> float:
        """Return the seconds that the server asks to wait before the next try or hop."""
        return min(retry_after(response, self._clock.wall()) or 0.0, self._core.RETRY_AFTER_MAX)

    def _retries_left(self, entry: Entry) -> bool:
        return self._core.RETRY_ENABLED and self._tries.get(entry.origin, 0) < self._core.RETRY_TIMES

    def _still_holds(self, origin: str) -> Known | None:
        known = self.known.get(origin)
        if known is None or known.rules is None or known.stale <= self._clock.seconds():
            return None
        return known

    def _failed(self, entry: Entry, outcome: Response | Exception, now: float) -> Refused | None:
        """Try again; at the end go by the rules of yesterday, if there are some, or refuse the origin."""
        if self._retries_left(entry) and (isinstance(outcome, Response) or may_pass(outcome)):
            self._tries[entry.origin] = tries = self._tries.get(entry.origin, 0) + 1
            wait = backoff(tries, self._backoff, self._random)
            if isinstance(outcome, Response):
                wait = max(wait, self._asked_wait(outcome))
            self._frontier.later(entry, now, now + wait)
            return None
        self._forget_tries(entry.origin)
        cause = f"status {outcome.status}" if isinstance(outcome, Response) else f"{type(outcome).__name__}: {outcome}"
        until = now + self._core.ROBOTSTXT_RETRY_SECONDS
        old = self._still_holds(entry.origin)
        if old is not None:
            logger.warning("robots.txt of %s could not be fetched again (%s): the last one holds", entry.origin, cause)
            self._keep(entry.origin, old._replace(until=until, renewed=True))
            return None
        error = RobotsUnreachable(f"robots.txt of {entry.origin} could not be fetched ({cause})")
        if isinstance(outcome, Exception):
            error.__cause__ = outcome
        self._keep(entry.origin, Known(None, error, until, until))
        return Refused(self._frontier.drop_origin(entry.origin), error)

    def _open(self, origin: str, body: bytes | None, now: float) -> None:
        self._forget_tries(origin)
        self._learn(origin, body, now)
        if self._durable:
            kept = body[:SIZE_LIMIT] if body is not None else None
            self._facts[FACT_PREFIX + origin] = {"wall": self._clock.wall(), "body": kept}

    def _learn(self, origin: str, body: bytes | None, fetched: float) -> None:
        rules = RobotsRules.allowing_all() if body is None else RobotsRules.parse(body, self._agent)
        self._keep(origin, Known(rules, None, fetched + VALID_SECONDS, fetched + STALE_SECONDS))

    def _keep(self, origin: str, known: Known) -> None:
        """Note what is known from now on, and open the origin if that is rules."""
        old = self.known.pop(origin, None)
        self.known[origin] = known
        self.size += known.size - (0 if old is None else old.size)
        if known.rules is not None:
            asked = known.rules.crawl_delay
            delay = None if asked is None else min(asked, self._core.ROBOTSTXT_MAX_DELAY)
            self._frontier.open_origin(origin, delay, self._clock.seconds())
        if len(self.known) > self._sweep_at[0] or self.size > self._sweep_at[1]:
            self._sweep(origin)

    def _sweep(self, newest: str) -> None:
        """Forget what was used least lately until a quarter is free.

        Not what something waits for, a host whose delay has not passed, or a failure that still counts: the
        origin would be asked again too soon. What is too much in spite of that is looked at again when it
        has grown by a quarter.
        """
        now = self._clock.seconds()
        for origin in list(self.known):
            if len(self.known) <= KEPT_ORIGINS * 3 // 4 and self.size <= KEPT_BYTES * 3 // 4:
                break
            known = self.known[origin]
            waits = known.error is not None and known.until > now
            if origin == newest or waits or not self._frontier.forget_origin(origin, now):
                continue
            del self.known[origin]
            self.size -= known.size
            if self._durable:
                self._facts[FACT_PREFIX + origin] = None
        self._sweep_at = (max(KEPT_ORIGINS, len(self.known) * 5 // 4), max(KEPT_BYTES, self.size * 5 // 4))

    def _forget_tries(self, origin: str) -> None:
        self._tries.pop(origin, None)
        self._redirects.pop(origin, None)

    def changed_facts(self) -> dict[str, Any]:
        """Return the robots.txt files fetched since the last call; None for those forgotten."""
        changed, self._facts = self._facts, {}
        return changed

    def restore_facts(self, facts: dict[str, Any]) -> None:
        """Take back the files that are still valid: one fetch per origin a day, also across a resume and over all
        workers. What is known here and was fetched as late, or later, stays."""
        now, wall = self._clock.seconds(), self._clock.wall()
        for name, kept in facts.items():
            if not name.startswith(FACT_PREFIX) or kept is None:
                continue
            origin, age = name.removeprefix(FACT_PREFIX), max(wall - kept["wall"], 0.0)
            known = self.known.get(origin)
            older = known is not None and known.rules is not None and known.until + 1 > now - age + VALID_SECONDS
            if age < VALID_SECONDS and not older:
                self._learn(origin, kept["body"], now - age)
