"""Where does a file go by its URL, and what is said where it cannot?"""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.config.schema import CoreSettings
from crawler.errors import UsageError
from crawler.remote import open_remote


def test_a_file_takes_the_place_of_another(tmp_path: Path) -> None:
    remote = open_remote("memory://test_remote/items.jl", CoreSettings())
    for text in ("first", "second"):
        (tmp_path / "file").write_text(text)
        remote.send(tmp_path / "file")
        assert remote.fs.cat(remote.path) == text.encode()
    assert [Path(path).name for path in remote.fs.ls("/test_remote", detail=False)] == ["items.jl"]


def test_a_file_comes_back_if_it_is_there(tmp_path: Path) -> None:
    remote = open_remote("memory://test_remote/back.jl", CoreSettings())
    assert not remote.fetch(tmp_path / "back")
    (tmp_path / "file").write_text("items")
    remote.send(tmp_path / "file")
    assert remote.fetch(tmp_path / "back")
    assert (tmp_path / "back").read_text() == "items"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftb://h/x", 'ftb:// is no place that files can be sent to; did you mean "ftp"'),
        ("https://h/x", "https:// is no place that files can be sent to; there are s3, gs, az, ftp, sftp"),
        ("file:///x", "file:// is no place"),
        ("gs://bucket/x", "gs:// needs a package that is not installed: `pip install gcsfs`"),
        ("az://container/x", "az:// needs a package that is not installed: `pip install adlfs`"),
        ("ftp://h:port/x", "the port is a number, not 'port'"),
        ("ftp://ann:***@h/x", "a job keeps no passwords"),
    ],
)
def test_what_is_no_place_is_told_before_anything_is_sent(url: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_remote(url, CoreSettings())
    assert said in str(caught.value)


def test_a_password_is_shown_nowhere() -> None:
    remote = open_remote("ftp://ann:secret@h.example/x", CoreSettings())
    assert repr(remote) == "<Remote ftp://ann:***@h.example/x>"
