"""Is a page younger than what a sitemap says of its last change?"""

from __future__ import annotations

from datetime import UTC, date, datetime
from email.utils import formatdate

import pytest

from crawler.model.headers import Headers
from crawler.policy.freshness import Kept
from crawler.policy.lastmod import latest_moment, still_holds


def when(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("said", "latest"),
    [
        ("2024-05-01T10:00:00Z", when(2024, 5, 1, 10, 0, 1)),
        ("2024-05-01T10:00:00.25+02:00", when(2024, 5, 1, 8, 0, 1)),
        ("2024-05-01T10:00-0530", when(2024, 5, 1, 15, 31)),
        ("2024-05-01 10:00", when(2024, 5, 1, 22, 1)),  # no zone: it may be the furthest west
        (" 2024-05-01 ", when(2024, 5, 2, 12)),  # some time on that day, wherever that is
        ("2024-12", when(2025, 1, 1, 12)),
        ("2024", when(2025, 1, 1, 12)),
        (date(2024, 5, 1), when(2024, 5, 2, 12)),
        (datetime(2024, 5, 1, 10, tzinfo=UTC), when(2024, 5, 1, 10)),
        (datetime(2024, 5, 1, 10), when(2024, 5, 1, 22)),
    ],
)
def test_a_date_stands_for_the_last_moment_it_may_mean(said: object, latest: float) -> None:
    assert latest_moment(said) == latest


@pytest.mark.parametrize(
    "said", ["", "yesterday", "01.05.2024", "2024-02-31", "2024-13", "9999", 1714557600, None, b"2024"]
)
def test_what_is_no_date_says_nothing(said: object) -> None:
    assert latest_moment(said) is None
    assert not still_holds(said, Kept(200, Headers(), 2e9, 2e9))


def test_a_page_holds_if_it_was_asked_for_after_the_change() -> None:
    fetched = when(2024, 5, 3)
    page = Kept(200, Headers(), fetched, fetched + 5)
    assert still_holds("2024-05-01", page)
    assert not still_holds("2024-05-03", page)  # it may have changed later on that day
    assert not still_holds("2024-05-03T00:00:02Z", page)  # while it was on its way


def test_a_page_is_as_old_as_its_server_says() -> None:
    fetched = when(2024, 5, 3)
    page = Kept(200, Headers({"Date": formatdate(when(2024, 4, 1), usegmt=True)}), fetched, fetched)
    assert not still_holds("2024-05-01", page)
