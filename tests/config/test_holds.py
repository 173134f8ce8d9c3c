"""What a setting may hold is checked when the settings are loaded: values, nested keys, addresses, URLs."""

from __future__ import annotations

from typing import Any

import pytest

from crawler.config.settings import Settings
from crawler.errors import SettingError
from crawler.policy.scope import POLICIES

REFERER = "scrapy.spidermiddlewares.referer"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"REFERRER_POLICY": "bogus"}, "expected one of no-referrer, "),
        ({"REFERRER_POLICY": "no-refferer"}, 'did you mean "no-referrer"?'),
        ({"REFERRER_POLICY": "my.own.Policy"}, "expected one of no-referrer, "),
        ({"DOWNLOAD_SLOTS": {"h": {"dealy": 5}}}, 'h: there is no option "dealy"; did you mean "delay"?'),
        ({"DOWNLOAD_SLOTS": {"h": {"delay": "5"}}}, "h: delay: expected a number"),
        ({"DOWNLOAD_SLOTS": {"h": {"delay": -1}}}, "h: delay: expected a number, 0 or more, got -1"),
        ({"DOWNLOAD_SLOTS": {"h": {"concurrency": 0}}}, "h: concurrency: expected a whole number, 1 or more"),
        ({"DOWNLOAD_SLOTS": {"https://h/": {"delay": 1}}}, 'got the URL "https://h/"'),
        ({"TLS_HOSTS": {"h": {"verfy": False}}}, 'h: there is no option "verfy"; did you mean "verify"?'),
        ({"TLS_HOSTS": {"h": {"min_version": "1.9"}}}, "h: min_version: expected one of 1.0, 1.1"),
        ({"TLS_HOSTS": {"h:443": {}}}, 'expected the name of a host without port, got "h:443"'),
        ({"HTTP_AUTH": {"https://h.example/page": "u:p"}}, "is no origin"),
        ({"HTTP_AUTH": {"https://h.example": "s3cret"}}, 'expected "user:password"'),
        ({"HTTPCACHE_FILE": ""}, "expected the name of a file"),
        ({"JOB_DIR": " "}, "expected the name of a file"),
        ({"BIND_ADDRESS": "999.1.1.1"}, 'expected an IP address of this machine, got "999.1.1.1"'),
        ({"DOWNLOAD_BIND_ADDRESS": ("127.0.0.1",)}, "expected an IP address or (address, 0)"),
        ({"DOWNLOAD_BIND_ADDRESS": ("nowhere", 0)}, "expected an IP address"),
        ({"FEED_EXPORT_ENCODING": "utf8x"}, "expected the name of an encoding"),
        ({"RETRY_HTTP_CODES": [5000]}, "expected statuses from 100 to 999, got 5000"),
        ({"USER_AGENT": "a\r\nX: y"}, "contains CR, LF or NUL"),
        ({"ROBOTSTXT_USER_AGENT": "a\nb"}, "contains CR, LF or NUL"),
        ({"DEFAULT_REQUEST_HEADERS": {"a b": "c"}}, "is no token"),
        ({"DEFAULT_REQUEST_HEADERS": {"DNT": [1]}}, "expected a JSON object of texts or whole numbers or none"),
        ({"SESSION_IDENTITIES": [{"a b": "c"}]}, "is no token"),
        ({"SCHEMES": {"a b": None}}, 'expected a scheme such as "ftp"'),
        ({"JOB_STORE": "http://u:pw@h"}, 'redis://, rediss://, unix://, got "http://u:***@h"'),
        ({"JOB_STORE": "redis"}, 'expected "sqlite", "memory", the URL of a server or a class'),
        ({"JOB_PREFIX": "a:b"}, "letters, digits"),
        ({"JOB_LEASE_SECONDS": 0.5}, "from 1 to 3600"),
        ({"DEPTH_PRIORITY": 10**30}, "expected a whole number from -999999 to 999999"),
        ({"DOWNLOAD_DELAY_JITTER": [0.5, 1.5]}, "expected a number"),
        ({"DNSCACHE_ENABLED": "maybe"}, "expected true or false"),
        ({"DOWNLOADER_MIDDLEWARES": ["x"]}, "expected a dictionary"),
        ({"SCHEDULER": 5}, "the queue is the frontier"),
        ({"AUTOTHROTTLE_ENABLED": "maybe"}, "expected true or false"),
        ({"ITEM_PIPELINES": {"no.such": 1}}, "cannot import"),
        ({"HTTPAUTH_USER": "u", "HTTPAUTH_DOMAIN": "a b"}, "is no origin"),
    ],
)
def test_a_value_that_cannot_be_is_told_by_the_name_it_was_given(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError) as caught:
        Settings.load(given)
    assert str(caught.value).startswith(f"{next(iter(given))} (settings.py): ")
    assert said in str(caught.value)


@pytest.mark.parametrize("value", ["1", "true", "yes", "on"])
@pytest.mark.parametrize(
    ("name", "ours", "switched_on"),
    [
        ("AUTOTHROTTLE_ENABLED", "THROTTLE_ENABLED", True),
        ("HTTPX_HTTP2_ENABLED", "HTTP2_ENABLED", True),
        ("COOKIES_ENABLED", "COOKIES_ENABLED", True),
        ("HTTPCACHE_IGNORE_MISSING", "HTTPCACHE_POLICY", "replay"),
        ("DNSCACHE_ENABLED", "DNS_TTL", 300.0),
    ],
)
def test_a_truth_value_is_one_for_every_name_and_in_every_place(
    name: str, ours: str, switched_on: Any, value: str
) -> None:
    off = {"1": "0", "true": "false", "yes": "no", "on": "off"}[value]
    places = [lambda text: Settings.load({}, None, {name: text}), lambda text: Settings.load({name: text})]
    if value == "1":
        places.append(lambda text: Settings.load({name: int(text)}))
    for place in places:
        assert place(value)[ours] == switched_on
        assert place(off)[ours] != switched_on


def test_a_setting_of_scrapy_that_is_switched_off_asks_for_nothing() -> None:
    assert Settings.load({}, None, {"TELNETCONSOLE_ENABLED": "0", "MEMUSAGE_ENABLED": "False"}).warnings == []


@pytest.mark.parametrize("policy", list(POLICIES))
def test_the_referrer_policies_are_those_that_the_crawler_knows(policy: str) -> None:
    assert policy == Settings.load({"REFERRER_POLICY": policy.upper()}).core.REFERRER_POLICY


def test_a_class_of_scrapy_is_the_policy_of_that_name() -> None:
    assert Settings.load({"REFERRER_POLICY": f"{REFERER}.NoReferrerPolicy"}).core.REFERRER_POLICY == "no-referrer"
    assert Settings.load({"REFERRER_POLICY": f"{REFERER}.DefaultReferrerPolicy"}).core.REFERRER_POLICY in POLICIES


def test_nested_values_come_as_their_types_say() -> None:
    core = Settings.load(
        {
            "DOWNLOAD_SLOTS": {"a.example": {"delay": 5, "jitter": 0}},
            "TLS_HOSTS": {"Bücher.example": {"verify": 0}},
        }
    ).core
    assert core.DOWNLOAD_SLOTS == {"a.example": {"delay": 5.0, "jitter": 0.0}}
    assert core.TLS_HOSTS == {"xn--bcher-kva.example": {"verify": False}}
