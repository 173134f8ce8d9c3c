"""Is a failed attempt worth another one, and when?

Which errors and statuses is Scrapy's answer (RetryMiddleware's defaults), read for our errors:

- tried again, for they may pass: names that do not resolve, connections refused, lost or timed out, a
  body that was cut, bytes that are no HTTP (a broken instance behind a balancer), a proxy that failed;
- not tried again, for they would only repeat themselves: a certificate that is not acceptable, a head
  or body above its limit, a body that does not decode, an address or scheme that is forbidden, a page
  that is not in the cache; and a fetch that was cancelled because the crawl ends.

Like Scrapy's, a retry does not look at the method. RFC 9110 §9.2.2 would have a client ask first before
it repeats a POST; crawlers' POSTs are searches. meta ``dont_retry`` is there for the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from crawler.errors import (
    BadResponse,
    ConnectionFailed,
    ConnectionLost,
    FetchTimeout,
    HeadTooLarge,
    NameNotResolved,
    ProxyError,
    RequestError,
    SessionBlocked,
    TruncatedBody,
)
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.verdict import GiveUp, Later

# The last two are Python's own: what a middleware built on another library would raise.
MAY_PASS: tuple[type[Exception], ...] = (
    NameNotResolved,
    ConnectionFailed,
    ConnectionLost,
    FetchTimeout,
    TruncatedBody,
    BadResponse,
    ProxyError,
    SessionBlocked,
    ConnectionError,
    TimeoutError,
)
WILL_NOT_PASS: tuple[type[Exception], ...] = (HeadTooLarge,)

_SECONDS = re.compile(rb"[0-9]{1,10}").fullmatch
_LONGEST_DATE = 40  # "Wednesday, 09-Nov-2026 08:49:37 GMT" is the longest legal form


@dataclass(frozen=True, slots=True)
class RetryRules:
    """The settings of those names. Times are seconds."""

    retry_enabled: bool = True
    retry_times: int = 2
    retry_http_codes: frozenset[int] = frozenset({500, 502, 503, 504, 522, 524, 408, 429})
    retry_priority_adjust: int = -1
    retry_backoff: float = 1.0
    retry_backoff_max: float = 60.0
    retry_after_max: float = 600.0


def retry_verdict(
    request: Request,
    outcome: Response | Exception,
    rules: RetryRules,
    *,
    wall: float,
    random: Callable[[], float],
) -> Later | GiveUp | None:
    """Return Later, GiveUp (an error that may pass, but too often already) or None: not for us to say.

    A response whose tries are used up is None, so that ``handle_httpstatus_list`` may still deliver it.
    ``wall`` is the time as seconds since 1970 for a ``Retry-After`` date. The meta keys are Scrapy's:
    dont_retry, max_retry_times, retry_times, priority_adjust.
    """
    if not is_worth_another_try(outcome, rules):
        return None
    meta = request.meta
    if not rules.retry_enabled or meta.get("dont_retry"):
        return None
    times = meta.get("retry_times", 0) + 1
    most = meta.get("max_retry_times")
    if times > (rules.retry_times if most is None else most):
        return None if isinstance(outcome, Response) else give_up(request, outcome)
    adjust = meta.get("priority_adjust", rules.retry_priority_adjust)
    again = request.replace(meta={**meta, "retry_times": times}, priority=request.priority + adjust)
    seconds = wait_before(times, outcome, rules, wall=wall, random=random)
    return Later(again, seconds, "retry", *reason_of(outcome))


def wait_before(
    times: int, outcome: Response | Exception, rules: RetryRules, *, wall: float, random: Callable[[], float]
) -> float:
    """Return the seconds before try number ``times`` (from 1): the back-off, or what Retry-After asks if longer."""
    seconds = backoff(times, rules, random)
    asked = retry_after(outcome, wall) if isinstance(outcome, Response) else None
    return seconds if asked is None else max(seconds, min(asked, rules.retry_after_max))


def reason_of(outcome: Response | Exception) -> tuple[str, int | None]:
    """Return why something is asked again, in Scrapy's words, and the status if there was one."""
    if isinstance(outcome, Response):
        return f"{outcome.status} {_phrase(outcome.status)}", outcome.status
    return type(outcome).__name__, None


def is_worth_another_try(outcome: Response | Exception, rules: RetryRules) -> bool:
    """Tell whether another try may end otherwise.

    Asked of every outcome, 2xx too, before anything else is done with it: a new rule on what is tried again goes here.
    How long to wait, if the response says so, is ``retry_after``'s answer.
    """
    return outcome.status in rules.retry_http_codes if isinstance(outcome, Response) else may_pass(outcome)


def may_pass(error: Exception) -> bool:
    """Tell whether an error is one that another try may not meet again."""
    return isinstance(error, MAY_PASS) and not isinstance(error, WILL_NOT_PASS)


def backoff(times: int, rules: RetryRules, random: Callable[[], float]) -> float:
    """Return the wait before try number ``times`` (from 1): doubled each time, capped, and then cut by
    up to a half at random, so that requests that failed together do not come back together."""
    longest = min(rules.retry_backoff * 2.0 ** min(times - 1, 60), rules.retry_backoff_max)
    return longest * (1.0 - random() / 2)


def retry_after(response: Response, wall: float) -> float | None:
    """Return the seconds that ``Retry-After`` asks for (RFC 9110 §10.2.3: a number or a date), or None."""
    value = response.headers.get(b"Retry-After")
    if value is None or len(value) > _LONGEST_DATE:
        return None
    value = value.strip()
    if _SECONDS(value):
        return float(value)
    try:
        date = parsedate_to_datetime(value.decode("ascii"))
    except (ValueError, OverflowError):
        return None
    if date.tzinfo is None:  # the asctime form; all HTTP dates are GMT (RFC 9110 §5.6.7)
        date = date.replace(tzinfo=UTC)
    return max(0.0, date.timestamp() - wall)


def give_up(request: Request, error: Exception) -> GiveUp:
    """Return the verdict; an error that does not know its request yet learns it here."""
    if isinstance(error, RequestError) and error.request is None:
        error.request = request
    return GiveUp(error)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown Status"
