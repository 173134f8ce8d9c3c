"""Which statuses reach the spider."""

from __future__ import annotations

from typing import Any

import pytest

from crawler.errors import HttpError
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.outcome import StatusRules, status_verdict
from crawler.policy.verdict import GiveUp

URL = "http://a.example/"


@pytest.mark.parametrize(
    ("status", "meta", "rules", "accepted"),
    [
        (200, {}, {}, True),
        (204, {}, {}, True),
        (299, {"handle_httpstatus_list": []}, {}, True),
        (302, {}, {}, False),
        (404, {}, {}, False),
        (404, {"handle_httpstatus_all": True}, {}, True),
        (404, {"handle_httpstatus_list": [404]}, {}, True),
        (404, {"handle_httpstatus_list": []}, {"httperror_allow_all": True}, False),
        (404, {"handle_httpstatus_list": None}, {"httperror_allow_all": True}, True),
        (404, {}, {"httperror_allow_all": True}, True),
        (404, {}, {"httperror_allowed_codes": frozenset({404})}, True),
        (404, {}, {"handle_httpstatus_list": frozenset({404})}, True),
        (404, {}, {"handle_httpstatus_list": frozenset(), "httperror_allowed_codes": frozenset({404})}, False),
    ],
)
def test_who_decides(status: int, meta: dict[str, Any], rules: dict[str, Any], accepted: bool) -> None:
    request = Request(URL, meta=meta)
    response = Response(URL, status)
    verdict = status_verdict(request, response, StatusRules(**rules))
    if accepted:
        assert verdict is None
        return
    assert isinstance(verdict, GiveUp)
    assert isinstance(verdict.error, HttpError)
    assert (verdict.error.response, verdict.error.request) == (response, request)
    assert str(status) in str(verdict.error)
