"""What a page's URL tells the next server."""

from __future__ import annotations

import pytest

from crawler.policy.scope import POLICIES, referer_for

PAGE = "https://u:p@a.example/dir/page?q=1#f"
FULL = "https://a.example/dir/page?q=1"
ORIGIN = "https://a.example/"
TARGETS = ["https://a.example/x", "https://b.example/x", "https://a.example:444/x", "http://a.example/x"]


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("no-referrer", [None, None, None, None]),
        ("no-referrer-when-downgrade", [FULL, FULL, FULL, None]),
        ("same-origin", [FULL, None, None, None]),
        ("origin", [ORIGIN, ORIGIN, ORIGIN, ORIGIN]),
        ("strict-origin", [ORIGIN, ORIGIN, ORIGIN, None]),
        ("origin-when-cross-origin", [FULL, ORIGIN, ORIGIN, ORIGIN]),
        ("strict-origin-when-cross-origin", [FULL, ORIGIN, ORIGIN, None]),
        ("unsafe-url", [FULL, FULL, FULL, FULL]),
        ("scrapy-default", [FULL, FULL, FULL, None]),
    ],
)
def test_policies(policy: str, told: list[str | None]) -> None:
    assert [referer_for(PAGE, target, policy) for target in TARGETS] == told
    assert policy in POLICIES


def test_from_http_nothing_is_a_downgrade() -> None:
    assert referer_for("http://a.example:8080/p", "https://b.example/") == "http://a.example:8080/"
    assert referer_for("http://a.example/p", "http://a.example:80/") == "http://a.example/p"


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (None, ORIGIN),
        ("", ORIGIN),
        ("no-referrer", None),
        ("NO-REFERRER", None),
        ("no-referrer, unsafe-url", FULL),
        ("unsafe-url, future-policy", FULL),
        ("os.system", ORIGIN),
        ("crawler.policy.scope.POLICIES", ORIGIN),
        ("scrapy-default", ORIGIN),
        (",,,", ORIGIN),
    ],
)
def test_the_pages_header_goes_first_if_it_is_known(header: str | None, told: str | None) -> None:
    assert referer_for(PAGE, "https://b.example/", "strict-origin-when-cross-origin", header) == told


def test_an_unknown_policy_of_ours_is_the_default() -> None:
    assert referer_for(PAGE, "https://b.example/", "no-such-policy") == ORIGIN


@pytest.mark.parametrize("url", ["file:///etc/passwd", "data:text/html,x", "ftp://a.example/"])
def test_other_schemes_tell_and_hear_nothing(url: str) -> None:
    assert referer_for(url, "https://b.example/", "unsafe-url") is None
    assert referer_for(PAGE, url, "unsafe-url") is None


def test_of_a_long_url_the_origin_alone_is_told() -> None:
    assert referer_for("https://a.example/" + "x" * 4096, "https://a.example/") == ORIGIN
