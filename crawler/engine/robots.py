"""May this origin be asked yet, and this URL of it at all?

robots.txt is the first request of every origin; until it is answered the frontier keeps the origin
closed. It obeys delays and limits like any request, but is exempt from filters, dedupe and the job, and
carries no user's credentials. RFC 9309 says what each outcome means.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from crawler.config.schema import CoreSettings
from crawler.engine.clock import Clock
from crawler.errors import RequestError, RobotsUnreachable
from crawler.frontier.entry import Entry
from crawler.frontier.frontier import Frontier
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import host_of, join
from crawler.policy.robots import SIZE_LIMIT, RobotsOutcome, RobotsRules, robots_outcome
from crawler.policy.verdict import Drop

VALID_SECONDS = 86_400.0
"""How long an answer holds (RFC 9309 §2.4: no longer than 24 hours)."""

REDIRECTS = 5
"""How many redirects are followed (RFC 9309 §2.3.1.2: at least five)."""

_PREFIX = "robots:"


class _Known(NamedTuple):
    """What is known of one origin until ``until`` (monotonic seconds): its rules, or why there are none."""

    rules: RobotsRules | None
    error: RobotsUnreachable | None
    until: float


class Refused(NamedTuple):
    """The origin cannot be asked: its waiting entries fail with this error."""

    entries: list[Entry]
    error: RobotsUnreachable


class RobotsGate:
    """Opens and closes origins at the frontier, and judges URLs."""

    def __init__(
        self, core: CoreSettings, frontier: Frontier, clock: Clock, agent: str, *, random: Callable[[], float]
    ) -> None:
        self._core = core
        self._frontier = frontier
        self._clock = clock
        self._agent = agent
        self._random = random
        self._known: dict[str, _Known] = {}
        self._tries: dict[str, int] = {}
        self._redirects: dict[str, int] = {}
        self._facts: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<RobotsGate {len(self._known)} origins>"

    def request(self, entry: Entry) -> Request:
        """Return the robots.txt request as it is sent."""
        if "robots" in entry.request.meta:
            return entry.request
        meta = {"robots": True, "dont_merge_cookies": True, "download_maxsize": 10 * SIZE_LIMIT}
        request: Request = entry.request.replace(meta=meta)
        return request

    def crawl_delay(self, origin: str) -> float:
        """Return the Crawl-delay of an origin in seconds; 0 if it asks for none."""
        known = self._known.get(origin)
        return self._delay(known.rules) or 0.0 if known is not None and known.rules is not None else 0.0

    def unreachable(self, entry: Entry) -> RobotsUnreachable | None:
        """Return the error of an entry whose origin could not be asked lately."""
        known = self._known.get(entry.origin)
        if known is None or known.error is None:
            return None
        if known.until <= self._clock.seconds():
            del self._known[entry.origin]
            self._frontier.reclose_origin(entry.origin)
            return None
        return known.error

    def refusal(self, entry: Entry) -> Drop | None:
        """Return why a taken entry may not be sent, None if it may."""
        known = self._known.get(entry.origin)
        if known is None or known.rules is None:
            return None
        if known.until <= self._clock.seconds():
            self._frontier.reclose_origin(entry.origin)  # asked again; what is under way goes by the old rules
        rule = known.rules.rule_for(entry.request.url)
        if rule is None or rule.allow:
            return None
        return Drop("robots", f"robots.txt of {entry.origin} says {rule}")

    def answered(self, entry: Entry, outcome: Response | Exception) -> Refused | None:
        """Act on the outcome of a robots.txt request that was released from its slot."""
        now = self._clock.seconds()
        if isinstance(outcome, Response) and 300 <= outcome.status < 400:
            target = self._target(entry, outcome)
            if target is not None:
                entry.request = entry.request.replace(url=target)
                entry.host = host_of(target)
                self._frontier.later(entry, now, now)
                return None
        meaning = robots_outcome(outcome if isinstance(outcome, Exception) else outcome.status)
        asks_for_patience = isinstance(outcome, Response) and outcome.status == 429
        if meaning is RobotsOutcome.UNREACHABLE or (asks_for_patience and self._retries_left(entry)):
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

    def _retries_left(self, entry: Entry) -> bool:
        return self._core.RETRY_ENABLED and self._tries.get(entry.origin, 0) < self._core.RETRY_TIMES

    def _failed(self, entry: Entry, outcome: Response | Exception, now: float) -> Refused | None:
        if self._retries_left(entry):
            self._tries[entry.origin] = tries = self._tries.get(entry.origin, 0) + 1
            wait = min(self._core.RETRY_BACKOFF * 2 ** (tries - 1), self._core.RETRY_BACKOFF_MAX)
            self._frontier.later(entry, now, now + wait * (1 + 0.5 * self._random()))
            return None
        self._forget_tries(entry.origin)
        cause = f"status {outcome.status}" if isinstance(outcome, Response) else f"{type(outcome).__name__}: {outcome}"
        error = RobotsUnreachable(f"robots.txt of {entry.origin} could not be fetched ({cause})")
        if isinstance(outcome, Exception):
            error.__cause__ = outcome
        self._known[entry.origin] = _Known(None, error, now + self._core.ROBOTSTXT_RETRY_SECONDS)
        return Refused(self._frontier.drop_origin(entry.origin), error)

    def _open(self, origin: str, body: bytes | None, now: float) -> None:
        self._forget_tries(origin)
        self._learn(origin, body, now + VALID_SECONDS)
        kept = body[:SIZE_LIMIT] if body is not None else None
        self._facts[_PREFIX + origin] = {"wall": self._clock.wall(), "body": kept}

    def _learn(self, origin: str, body: bytes | None, until: float) -> None:
        rules = RobotsRules.allowing_all() if body is None else RobotsRules.parse(body, self._agent)
        self._known[origin] = _Known(rules, None, until)
        self._frontier.open_origin(origin, self._delay(rules), self._clock.seconds())

    def _delay(self, rules: RobotsRules) -> float | None:
        if rules.crawl_delay is None:
            return None
        return min(rules.crawl_delay, self._core.ROBOTSTXT_MAX_DELAY)

    def _forget_tries(self, origin: str) -> None:
        self._tries.pop(origin, None)
        self._redirects.pop(origin, None)

    def changed_facts(self) -> dict[str, Any]:
        """Return the robots.txt files fetched since the last call."""
        changed, self._facts = self._facts, {}
        return changed

    def restore_facts(self, facts: dict[str, Any]) -> None:
        """Take back the files that are still valid: one fetch per origin a day, also across a resume."""
        now, wall = self._clock.seconds(), self._clock.wall()
        for name, kept in facts.items():
            if not name.startswith(_PREFIX):
                continue
            left = VALID_SECONDS - max(wall - kept["wall"], 0.0)
            if left > 0:
                self._learn(name.removeprefix(_PREFIX), kept["body"], now + left)


def fresh_error(error: RobotsUnreachable, request: Request) -> RequestError:
    """Return an error of its own for one of the requests that fail for the same reason."""
    own = RobotsUnreachable(str(error), request=request)
    own.__cause__ = error.__cause__
    return own
