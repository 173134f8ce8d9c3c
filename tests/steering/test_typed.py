"""Is a URL that somebody has typed taken or refused, and never told with its password?"""

from __future__ import annotations

import pytest

from crawler.errors import SteeringError
from crawler.steering.typed import added_request, is_asked_for, not_added, refused_by_filter, typed_request

SECRET = "http://user:secret@shop.example/"


@pytest.mark.parametrize("url", ["shop.example", "", "http://", "http://user:secret@a b/"])
def test_what_is_no_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(SteeringError, match="no URL that can be asked for") as refused:
        typed_request(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "data:,text"])
def test_files_may_be_explained_and_not_added(url: str) -> None:
    typed_request(url)
    with pytest.raises(SteeringError, match=r"cannot be added: file: and data: URLs come from start\(\) only"):
        added_request(url)


def test_what_is_added_is_asked_for_though_it_was_seen() -> None:
    assert added_request(SECRET).dont_filter


def test_no_sentence_of_a_url_has_its_password() -> None:
    said = [is_asked_for(SECRET), str(not_added(SECRET, "so")), str(refused_by_filter(SECRET, "offsite", ""))]
    assert said == [
        "http://user:***@shop.example/ is asked for",
        "http://user:***@shop.example/ cannot be added: so",
        "http://user:***@shop.example/ is refused by a filter (offsite)",
    ]
    assert str(refused_by_filter("http://a/", "depth", "3 of 2")) == "http://a/ is refused by a filter (depth: 3 of 2)"
