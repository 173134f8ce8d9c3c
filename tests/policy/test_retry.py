"""Which outcomes are tried again, when, and how often."""

from __future__ import annotations

from typing import Any

import pytest

from crawler import errors
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.outcome import Rules, judge
from crawler.policy.retry import RetryRules, backoff, is_worth_another_try, retry_after, retry_verdict
from crawler.policy.verdict import GiveUp, Later

URL = "http://a.example/x"
RULES = RetryRules()
PASSING = [
    errors.NameNotResolved,
    errors.ConnectionFailed,
    errors.ConnectionLost,
    errors.FetchTimeout,
    errors.TruncatedBody,
    errors.BadResponse,
    errors.ProxyError,
    errors.SessionBlocked,
    ConnectionResetError,
    TimeoutError,
]
LASTING = [
    errors.TLSError,
    errors.HeadTooLarge,
    errors.BodyTooLarge,
    errors.DecodingError,
    errors.AddressForbidden,
    errors.UnsupportedScheme,
    errors.NotInCache,
    errors.FetchCancelled,
    errors.LocalFailure,
    errors.NotBegun,  # it waits for its turn again before anybody judges it
    errors.IgnoreRequest,
    ValueError,
]


# outcome, what is tried again for this spider, whether another try may end otherwise
WORTH = [
    (Response(URL, 200), RULES, False),
    (Response(URL, 202), RULES, False),
    (Response(URL, 202), RetryRules(retry_http_codes=frozenset({202})), True),
    (Response(URL, 503), RULES, True),
    (Response(URL, 503), RetryRules(retry_http_codes=frozenset()), False),
    (Response(URL, 404), RULES, False),
    (errors.ConnectionLost("x"), RULES, True),
    (errors.TLSError("x"), RULES, False),
]


@pytest.mark.parametrize(("outcome", "rules", "worth"), WORTH)
def test_what_is_worth_another_try_is_tried_again_whatever_its_status(
    outcome: Any, rules: RetryRules, worth: bool
) -> None:
    assert is_worth_another_try(outcome, rules) is worth
    verdict = judge(Request(URL), outcome, Rules(retry=rules), wall=0.0, random=lambda: 0.0)
    assert (isinstance(verdict, Later) and verdict.kind == "retry") is worth
    if isinstance(verdict, Later):
        assert verdict.status == (outcome.status if isinstance(outcome, Response) else None)


def decide(outcome: Any, request: Request | None = None, rules: RetryRules = RULES, *, random: float = 0.0) -> Any:
    return retry_verdict(request or Request(URL), outcome, rules, wall=1_000_000.0, random=lambda: random)


@pytest.mark.parametrize("kind", PASSING)
def test_an_error_that_may_pass_is_tried_again(kind: type[Exception]) -> None:
    verdict = decide(kind("x"))
    assert isinstance(verdict, Later)
    assert (verdict.kind, verdict.reason, verdict.seconds) == ("retry", kind.__name__, 1.0)


@pytest.mark.parametrize("kind", LASTING)
def test_an_error_that_lasts_is_no_matter_for_retry(kind: type[Exception]) -> None:
    assert decide(kind("x")) is None


def test_every_fetch_error_has_been_thought_of() -> None:
    def below(kind: type[Exception]) -> set[type[Exception]]:
        return {kind}.union(*map(below, kind.__subclasses__()))

    own = {kind for kind in below(errors.FetchError) if kind.__module__ == errors.__name__}
    assert own - {errors.FetchError} <= {*PASSING, *LASTING}


@pytest.mark.parametrize("status", [500, 502, 503, 504, 522, 524, 408, 429])
def test_scrapys_statuses_are_tried_again(status: int) -> None:
    verdict = decide(Response(URL, status))
    assert isinstance(verdict, Later)
    assert verdict.reason.startswith(f"{status} ")


@pytest.mark.parametrize("status", [200, 204, 301, 400, 401, 403, 404, 410, 501, 505, 599])
def test_other_statuses_are_not(status: int) -> None:
    assert decide(Response(URL, status)) is None


def test_the_request_is_the_same_but_for_count_and_priority() -> None:
    request = Request(URL, method="POST", body=b"x", priority=5, meta={"a": 1}, headers={"Authorization": "secret"})
    again = decide(Response(URL, 503), request).request
    assert again.meta == {"a": 1, "retry_times": 1}
    assert request.meta == {"a": 1}
    assert (again.url, again.method, again.body, again.priority, again.dont_filter) == (URL, "POST", b"x", 4, False)
    assert again.headers["Authorization"] == b"secret"


def test_tries_are_counted_and_end() -> None:
    request = Request(URL)
    error = errors.ConnectionLost("x")
    for times in (1, 2):
        verdict = decide(error, request)
        assert isinstance(verdict, Later)
        request = verdict.request
        assert request.meta["retry_times"] == times
    verdict = decide(error, request)
    assert isinstance(verdict, GiveUp)
    assert verdict.error is error
    assert error.request is request
    assert decide(Response(URL, 503), request) is None, "a spider may still want the response"


@pytest.mark.parametrize(
    ("meta", "rules", "again"),
    [
        ({"dont_retry": True}, RULES, False),
        ({"max_retry_times": 0}, RULES, False),
        ({"max_retry_times": None}, RULES, True),
        ({"max_retry_times": 5, "retry_times": 4}, RULES, True),
        ({}, RetryRules(retry_times=0), False),
        ({}, RetryRules(retry_enabled=False), False),
        ({}, RetryRules(retry_http_codes=frozenset()), False),
    ],
)
def test_meta_and_settings(meta: dict[str, Any], rules: RetryRules, again: bool) -> None:
    assert isinstance(decide(Response(URL, 503), Request(URL, meta=meta), rules), Later) is again


def test_meta_priority_adjust() -> None:
    assert decide(Response(URL, 503), Request(URL, meta={"priority_adjust": 7})).request.priority == 7


def test_backoff_doubles_to_its_bound_with_jitter() -> None:
    assert [backoff(times, RULES, lambda: 0.0) for times in (1, 2, 3, 7, 10_000)] == [1, 2, 4, 60, 60]
    assert backoff(2, RULES, lambda: 1.0) == 1.0
    assert backoff(1, RetryRules(retry_backoff=0.0), lambda: 0.5) == 0.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"120", 120.0),
        (b" 7 ", 7.0),
        (b"0", 0.0),
        (b"Mon, 12 Jan 1970 13:47:10 GMT", 30.0),
        (b"Monday, 12-Jan-70 13:47:10 GMT", 30.0),
        (b"Mon Jan 12 13:47:10 1970", 30.0),
        (b"Mon, 12 Jan 1970 00:00:00 GMT", 0.0),
        (b"", None),
        (b"-1", None),
        (b"1.5", None),
        (b"soon", None),
        ("\u0663".encode(), None),
        (b"9" * 5000, None),
        (b"Mon, 99 Jan 1970 99:99:99 GMT", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: bytes, seconds: float | None) -> None:
    assert retry_after(Response(URL, 503, {"Retry-After": value}), 1_000_000.0) == seconds


@pytest.mark.parametrize(("value", "seconds"), [("120", 120.0), ("86400", 600.0), ("0", 1.0), ("junk", 1.0)])
def test_retry_after_lengthens_the_wait_up_to_its_bound(value: str, seconds: float) -> None:
    assert decide(Response(URL, 429, {"Retry-After": value})).seconds == seconds
