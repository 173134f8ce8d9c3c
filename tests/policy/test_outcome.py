"""The order of the policies, and what the common case costs."""

from __future__ import annotations

from typing import Any

import pytest

from crawler import errors
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.outcome import Rules, judge
from crawler.policy.retry import RetryRules
from crawler.policy.verdict import Deliver, Drop, GiveUp, Later

URL = "http://a.example/"
RULES = Rules()


def verdict_on(outcome: Any, meta: dict[str, Any] | None = None, rules: Rules = RULES) -> Any:
    return judge(Request(URL, meta=meta), outcome, rules, wall=0.0, random=lambda: 0.0)


def test_a_plain_page_is_delivered() -> None:
    response = Response(URL, 200, {"Content-Type": "text/html"}, b"<p>hello")
    assert verdict_on(response) == Deliver(response)


@pytest.mark.parametrize(
    ("status", "headers", "meta", "kind"),
    [
        (302, {"Location": "/x"}, {}, "redirect"),
        (503, {}, {}, "retry"),
        (503, {"Location": "/x"}, {}, "retry"),
        (503, {}, {"retry_times": 2}, GiveUp),
        (503, {}, {"retry_times": 2, "handle_httpstatus_list": [503]}, Deliver),
        (302, {}, {}, GiveUp),
        (302, {"Location": "/x"}, {"dont_redirect": True}, GiveUp),
        (302, {"Location": "/x"}, {"handle_httpstatus_list": [302]}, Deliver),
        (404, {}, {}, GiveUp),
        (404, {}, {"handle_httpstatus_all": True}, Deliver),
        (204, {}, {}, Deliver),
    ],
)
def test_statuses(status: int, headers: dict[str, str], meta: dict[str, Any], kind: Any) -> None:
    verdict = verdict_on(Response(URL, status, headers), meta)
    if isinstance(kind, str):
        assert isinstance(verdict, Later)
        assert verdict.kind == kind
    else:
        assert type(verdict) is kind


def test_a_meta_refresh_goes_before_a_retry_as_in_scrapy() -> None:
    body = b'<meta http-equiv="refresh" content="3; url=/next">'
    for status in (200, 503):
        verdict = verdict_on(Response(URL, status, {"Content-Type": "text/html"}, body))
        assert isinstance(verdict, Later)
        assert (verdict.kind, verdict.seconds) == ("redirect", 3)


def test_the_longest_wait_is_that_of_the_rule_which_allows_most() -> None:
    assert Rules().longest_wait == 600
    patient = RetryRules(retry_backoff_max=3600.0, retry_after_max=1.0)
    assert Rules(retry=patient).longest_wait == 3600
    assert Rules(retry=RetryRules(retry_backoff_max=1.0, retry_after_max=1.0)).longest_wait == 100


def test_a_2xx_can_be_a_status_to_retry() -> None:
    rules = Rules(retry=RetryRules(retry_http_codes=frozenset({202})))
    assert isinstance(verdict_on(Response(URL, 202), rules=rules), Later)


def test_errors() -> None:
    assert isinstance(verdict_on(errors.ConnectionLost("x")), Later)
    lasting = errors.TLSError("expired")
    assert verdict_on(lasting) == GiveUp(lasting)
    assert lasting.request is not None
    bug = ValueError("x")
    assert verdict_on(bug) == GiveUp(bug)
    raised = errors.IgnoreRequest("not today")
    assert verdict_on(raised) == Drop("ignored", "not today", raised)
