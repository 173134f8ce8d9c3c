"""What of a command is not kept on a server that others use."""

from __future__ import annotations

import pytest

from crawler.commands.cluster.kept import check_kept
from crawler.errors import UsageError
from crawler.storage.cluster.address import parse


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PROXIES", "http://u:secret@p:1"),
        ("PROXIES", "u:secret@p:1"),
        ("HTTP_AUTH", '{"h": "u:secret"}'),
        ("FEEDS", {"s3://k:secret@b/x.json": {}}),
        ("MONGO_URI", "mongodb://u:secret@h/x"),
    ],
)
def test_a_setting_with_a_password_is_refused(name: str, value: object) -> None:
    with pytest.raises(
        UsageError, match=rf"-s {name}=…: its password would lie on the server at redis://h/0"
    ) as caught:
        check_kept({"DOWNLOAD_DELAY": "1", name: value}, parse("redis://:mine@h"))
    assert "secret" not in str(caught.value)


def test_others_are_kept() -> None:
    check_kept({"JOB_STORE": "redis://me@h/0"}, parse("redis://me@h"))
    check_kept({"DOWNLOAD_DELAY": "1", "PROXIES": "http://p:1", "FEEDS": {"x.json": {}}}, parse("redis://h"))
