"""What is the verdict on the outcome of one attempt?

Redirect, then retry, then status, then Deliver: the order of Scrapy's middlewares. Most outcomes are a
plain page, so that case is looked at first, without a call that it does not need.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from crawler.errors import HttpError, IgnoreRequest
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.redirect import RedirectRules, redirect_verdict
from crawler.policy.refresh import mentions_refresh
from crawler.policy.retry import RetryRules, give_up, is_worth_another_try, reason_of, retry_verdict, wait_before
from crawler.policy.verdict import Deliver, Drop, GiveUp, Instead, Later, Verdict


@dataclass(frozen=True, slots=True)
class StatusRules:
    """The settings of those names, and the spider's ``handle_httpstatus_list`` (None: it has none)."""

    httperror_allow_all: bool = False
    httperror_allowed_codes: frozenset[int] = frozenset()
    handle_httpstatus_list: frozenset[int] | None = None


def status_verdict(request: Request, response: Response, rules: StatusRules) -> GiveUp | None:
    """Return GiveUp(HttpError) unless the status is 2xx or asked for.

    The first that is there decides, as in Scrapy's HttpErrorMiddleware: meta handle_httpstatus_all, meta
    handle_httpstatus_list, HTTPERROR_ALLOW_ALL, the spider's handle_httpstatus_list,
    HTTPERROR_ALLOWED_CODES.
    """
    status = response.status
    if 200 <= status < 300:
        return None
    meta = request.meta
    if meta.get("handle_httpstatus_all"):
        return None
    allowed = meta.get("handle_httpstatus_list")
    if allowed is None:
        if rules.httperror_allow_all:
            return None
        allowed = rules.handle_httpstatus_list
    if allowed is None:
        allowed = rules.httperror_allowed_codes
    if status in allowed:
        return None
    return GiveUp(HttpError(f"status {status} of {response.url}", response=response, request=request))


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything a verdict depends on beside the request and its outcome."""

    redirect: RedirectRules = field(default_factory=RedirectRules)
    retry: RetryRules = field(default_factory=RetryRules)
    status: StatusRules | None = field(default_factory=StatusRules)
    """None: any status is delivered."""

    @property
    def longest_wait(self) -> float:
        """The longest that a verdict lets a request wait, in seconds.

        A resume cuts what the job file has to it: the wall clock may have been set back meanwhile.
        """
        return max(self.retry.retry_after_max, self.retry.retry_backoff_max, self.redirect.metarefresh_maxdelay)


def judge(
    request: Request,
    outcome: Response | Exception | Instead,
    rules: Rules,
    *,
    wall: float,
    random: Callable[[], float],
) -> Verdict:
    """Return the verdict. ``wall``: seconds since 1970; ``random``: a function like random.random.

    IgnoreRequest, which a middleware may raise, is Drop("ignored"); any other exception that nothing
    above wants is GiveUp.
    """
    if isinstance(outcome, Response):
        if 200 <= outcome.status < 300 and not is_worth_another_try(outcome, rules.retry):
            redirect = rules.redirect
            if not redirect.metarefresh_enabled or outcome.body_file or not mentions_refresh(outcome.body):
                return Deliver(outcome)
        return (
            redirect_verdict(request, outcome, rules.redirect, wall=wall)
            or retry_verdict(request, outcome, rules.retry, wall=wall, random=random)
            or (status_verdict(request, outcome, rules.status) if rules.status is not None else None)
            or Deliver(outcome)
        )
    if isinstance(outcome, Instead):
        return instead_verdict(request, outcome, rules.retry, wall=wall, random=random)
    if isinstance(outcome, IgnoreRequest):
        return Drop("ignored", str(outcome), outcome)
    return retry_verdict(request, outcome, rules.retry, wall=wall, random=random) or give_up(request, outcome)


def instead_verdict(
    request: Request, outcome: Instead, rules: RetryRules, *, wall: float, random: Callable[[], float]
) -> Later:
    """Return Later with what a middleware asks instead: at once, or if it counts as a try more (meta ``retry_times``)
    after the wait that a retry has."""
    of, instead = outcome.of, outcome.request
    if of is None:
        return Later(instead, 0.0, "instead", "a middleware")
    times, before = instead.meta.get("retry_times", 0), request.meta.get("retry_times", 0)
    seconds = wait_before(times, of, rules, wall=wall, random=random) if times > before else 0.0
    return Later(instead, seconds, "instead", *reason_of(of))
