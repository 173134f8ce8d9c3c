"""URLs of servers: which forms there are, and where a password goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.config.schema import CoreSettings
from crawler.errors import UsageError
from crawler.storage.cluster.address import (
    Address,
    address_of,
    has_password,
    is_url,
    parse,
    refuse_password,
    refuse_passwords,
)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://10.0.0.5", Address("redis://10.0.0.5/0", "10.0.0.5")),
        ("redis://h:7000/3", Address("redis://h:7000/3", "h", 7000, database=3)),
        ("redis://:p%40w@h", Address("redis://h/0", "h", password="p@w")),
        ("redis://joe:pw@h/1", Address("redis://joe@h/1", "h", database=1, user="joe", password="pw")),
        ("redis://h?db=2&password=x", Address("redis://h/2", "h", database=2, password="x")),
        ("redis://[::1]:7000", Address("redis://[::1]:7000/0", "::1", 7000)),
        ("rediss://h:7000/3", Address("rediss://h:7000/3", "h", 7000, tls=True, database=3)),
        ("unix:///run/r%20s", Address("unix:///run/r%20s", socket="/run/r s")),
        ("unix://:pw@/run/s?db=1", Address("unix:///run/s?db=1", socket="/run/s", database=1, password="pw")),
    ],
)
def test_urls_are_taken_apart(url: str, expected: Address) -> None:
    assert is_url(url)
    assert parse(url) == expected
    again = parse(expected.url, expected.password)
    assert again == expected
    assert expected.password is None or expected.password not in repr(expected)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("redis://h:port", "is not a URL"),
        ("redis://h:70000", "is not a URL"),
        ("http://h", "is not the URL of a server; the forms are redis://"),
        ("redis://h/shop", "the database is a number, not 'shop'"),
        ("redis://h?ssl_cert_reqs=none", "known are db; certificates are always verified"),
        ("rediss://h?ssl_cert_reqs=none", "known are db, ssl_ca_certs.*; certificates are always verified"),
        ("rediss://h?ssl_ca_certs=/nowhere/ca.pem", "there is no file '/nowhere/ca.pem'"),
        ("unix://run/redis.sock", "by its whole path"),
        ("unix://", "by its whole path"),
        (f"unix:///{'d' * 107}", "at most 107 bytes"),
    ],
)
def test_what_is_wrong_with_a_url_is_said(url: str, reason: str) -> None:
    with pytest.raises(UsageError, match=rf"^JOB_STORE: .*{reason}"):
        parse(url)


def test_errors_show_no_password() -> None:
    with pytest.raises(UsageError) as caught:
        parse("redis://:secret@h/x")
    assert "secret" not in str(caught.value)


def test_a_key_of_a_client_needs_its_certificate(tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    with pytest.raises(UsageError, match="ssl_keyfile needs ssl_certfile"):
        parse(f"rediss://h?ssl_keyfile={tmp_path / 'key'}")


@pytest.mark.parametrize("url", ["redis://:pw@h", "rediss://joe:pw@h/1", "redis://h?password=pw", "unix://:pw@/s"])
def test_a_password_on_the_command_line_is_refused(url: str) -> None:
    assert has_password(url)
    with pytest.raises(UsageError, match=r"-s JOB_STORE: a password may not stand.*set JOB_STORE_PASSWORD") as caught:
        refuse_password(url, "-s JOB_STORE")
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("value", ["redis://joe@h", "sqlite", "redis://h/1", "unix:///a@b:c"])
def test_other_values_have_none(value: str) -> None:
    refuse_password(value, "-s JOB_STORE")


def test_a_password_as_a_setting_of_the_command_line_is_refused() -> None:
    with pytest.raises(UsageError, match=r"-s JOB_STORE_PASSWORD=…: a password may not stand") as caught:
        refuse_passwords({"JOB_STORE": "redis://h", "JOB_STORE_PASSWORD": "secret"})
    assert "secret" not in str(caught.value)
    refuse_passwords({"JOB_STORE": "redis://h"})


def test_a_password_comes_from_the_url_the_settings_or_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert address_of(CoreSettings(JOB_STORE="redis://h", JOB_STORE_PASSWORD="set")).password == "set"
    monkeypatch.setenv("JOB_STORE_PASSWORD", "theirs")
    assert address_of(CoreSettings(JOB_STORE="redis://h")).password == "theirs"
    assert address_of(CoreSettings(JOB_STORE="redis://h", JOB_STORE_PASSWORD="set")).password == "theirs"
    assert address_of(CoreSettings(JOB_STORE="redis://:url@h", JOB_STORE_PASSWORD="set")).password == "url"
    assert address_of(CoreSettings(), "unix:///s").password == "theirs"
