"""Meta keys without effect are told once each, a misspelt one with the right name; the user's own pass in silence."""

from __future__ import annotations

from typing import Any

import pytest

from crawler import Request, Spider
from crawler.assembly.rules import READ
from crawler.scrapy.names.elsewhere import META_KEYS
from crawler.testing import crawl


def warnings_of(caplog: pytest.LogCaptureFixture, *metas: dict[str, Any], **attributes: Any) -> list[str]:
    class Pages(Spider):
        name = "pages"

        def start_requests(self) -> Any:
            for number, meta in enumerate(metas):
                yield Request(f"http://a.example/{number}", meta=meta)

    for name, value in attributes.items():
        setattr(Pages, name, value)
    site = {f"http://a.example/{number}": "x" for number in range(len(metas))}
    result = crawl(Pages, site)
    assert result.summary.pages == len(metas)
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.parametrize("key", sorted(META_KEYS))
def test_a_key_without_effect_is_told_once(caplog: pytest.LogCaptureFixture, key: str) -> None:
    said = warnings_of(caplog, {key: 1}, {key: 2})
    assert said == [f"The meta key {key} has no effect here: {META_KEYS[key]}"]


@pytest.mark.parametrize(
    ("key", "meant"),
    [("dont_redirct", "dont_redirect"), ("cookie_jar", "cookiejar"), ("donwload_timeout", "download_timeout")],
)
def test_a_misspelt_key_is_told_with_the_right_one(caplog: pytest.LogCaptureFixture, key: str, meant: str) -> None:
    assert warnings_of(caplog, {key: True}, {key: True}) == [
        f'The meta key {key} has no effect; did you mean "{meant}"?'
    ]


def test_keys_that_are_read_and_those_of_the_users_own_pass_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    own = {"page": 1, "category": "x", "items": [], "proxies": 1, 5: 6, "author": 1, "sessions": 2}
    assert warnings_of(caplog, own, {"dont_redirect": True, "referrer_policy": "Origin"}) == []
    assert not READ & META_KEYS.keys()


def test_a_referrer_policy_that_is_none_is_told(caplog: pytest.LogCaptureFixture) -> None:
    (said,) = warnings_of(caplog, {"referrer_policy": "bogus"}, {"referrer_policy": "bogus"})
    assert said.startswith("The meta key referrer_policy has no effect with 'bogus'; there are no-referrer, ")


def test_a_url_in_allowed_domains_is_told_and_counts_as_its_host(caplog: pytest.LogCaptureFixture) -> None:
    (said,) = warnings_of(caplog, {}, allowed_domains=["http://a.example/shop", "b.example", "localhost:8000"])
    assert said == "allowed_domains has http://a.example/shop, which is no domain; it counts as its host"
