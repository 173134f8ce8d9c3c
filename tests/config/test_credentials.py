"""Where does a store's URL without password find it?"""

from __future__ import annotations

import pytest

from crawler.config.credentials import user_of, with_password
from crawler.config.schema import CoreSettings
from crawler.errors import SettingError, UsageError

GIVEN = ["ftp://ann:one@h.example", "ftp://bob:two%2F@h.example:2121", "s3://KEY:a/b@bucket", "sftp://ann:x@h.example"]


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("ftp://h.example/x.jl", "ftp://ann:one@h.example/x.jl"),
        ("ftp://ann@h.example/x.jl", "ftp://ann:one@h.example/x.jl"),
        ("ftp://ann:***@h.example/x.jl", "ftp://ann:one@h.example/x.jl"),
        ("ftp://h.example:2121/x.jl", "ftp://bob:two%2F@h.example:2121/x.jl"),
        ("ftp://ann:own@h.example/x.jl", "ftp://ann:own@h.example/x.jl"),
        ("ftp://eve@h.example/x.jl", "ftp://eve@h.example/x.jl"),
        ("ftp://other.example/x.jl", "ftp://other.example/x.jl"),
        ("s3://bucket/x.jl", "s3://KEY:a/b@bucket/x.jl"),
        ("s3://bucket", "s3://KEY:a/b@bucket"),
    ],
)
def test_the_entry_of_scheme_host_and_user_counts(url: str, wanted: str) -> None:
    assert with_password(url, CoreSettings(STORE_CREDENTIALS=GIVEN)) == wanted


def test_the_environment_has_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_CREDENTIALS", "sftp://a:b@x.example postgresql://me:pw@db.example")
    url = with_password("postgresql://me:***@db.example/shop?table=items", CoreSettings())
    assert url == "postgresql://me:pw@db.example/shop?table=items"


def test_a_password_that_a_job_left_out_and_nobody_gives_is_asked_for_by_name() -> None:
    with pytest.raises(UsageError, match=r"set STORE_CREDENTIALS='ftp://ann:\*\*\*@h.example', with the password in"):
        with_password("ftp://ann:***@h.example/x.jl", CoreSettings())


def test_an_entry_without_password_is_an_error() -> None:
    with pytest.raises(SettingError, match=r"an entry is SCHEME://USER:PASSWORD@HOST"):
        with_password("ftp://h.example/x", CoreSettings(STORE_CREDENTIALS=["ftp://ann@h.example"]))


def test_user_and_password_are_decoded() -> None:
    assert user_of("ftp://bob:two%2F@h/x") == ("bob", "two/")
    assert user_of("ftp://h/x") == (None, None)
