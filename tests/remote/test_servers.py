"""Are files sent whole to real servers, and what is said where they are not?"""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.config.schema import CoreSettings
from crawler.remote import Remote, SendError, open_remote
from tests.remote import servers

pytestmark = [pytest.mark.process, pytest.mark.slow]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "items.jl"
    path.write_text('{"a": 1}\n' * 50_000)
    return path


def test_s3(s3: servers.S3, file: Path) -> None:
    s3.make_bucket("shop")
    core = CoreSettings(**s3.settings)
    for _ in range(2):
        remote = open_remote("s3://shop/2026/items.jl", core)
        remote.check()
        remote.send(file)
        remote.close()
    assert s3.read("shop/2026/items.jl") == file.read_bytes()
    comes_back(remote, file)


def comes_back(remote: Remote, file: Path) -> None:
    """What is there can be fetched, and of what is not that is said."""
    assert remote.fetch(file.with_name("back"))
    assert file.with_name("back").read_bytes() == file.read_bytes()
    remote.path += ".not"
    assert not remote.fetch(file.with_name("back"))
    remote.close()


def test_a_large_file_goes_to_s3_in_pieces_with_the_rights_that_are_wished(s3: servers.S3, tmp_path: Path) -> None:
    s3.make_bucket("large")
    file = tmp_path / "items.jl"
    file.write_bytes(b"0123456789abcdef" * (40 << 16))  # 40 MB
    remote = open_remote("s3://large/items.jl", CoreSettings(**s3.settings, FEED_STORAGE_S3_ACL="public-read"))
    remote.send(file)
    grants = remote.fs.call_s3("get_object_acl", Bucket="large", Key="items.jl")["Grants"]
    remote.close()
    assert s3.read("large/items.jl") == file.read_bytes()
    assert [grant["Permission"] for grant in grants] == ["FULL_CONTROL", "READ"]


def test_a_bucket_that_is_not_there(s3: servers.S3) -> None:
    with pytest.raises(SendError, match="there is no bucket 'nowhere'"):
        open_remote("s3://nowhere/items.jl", CoreSettings(**s3.settings)).check()


def test_no_rights_to_write(s3: servers.S3, file: Path) -> None:
    s3.make_bucket("closed")
    remote = open_remote("s3://closed/items.jl", CoreSettings(**s3.settings))
    with s3.without_rights():
        remote.check()  # rights to write alone do not show
        with pytest.raises(SendError) as caught:
            remote.send(file)
    assert caught.value.lasting


def test_ftp_makes_folders_and_replaces(ftp: servers.Place, file: Path) -> None:
    remote = open_remote(f"{ftp.url}/a/b/items.jl", CoreSettings())
    remote.check()
    remote.send(file)
    file.write_text("new")
    remote.send(file)
    assert (ftp.root / "a/b/items.jl").read_text() == "new"
    comes_back(remote, file)
    assert [path.name for path in (ftp.root / "a/b").iterdir()] == ["items.jl"]


def test_ftp_with_connections_from_the_server(ftp: servers.Place, file: Path) -> None:
    remote = open_remote(f"{ftp.url}/active.jl", CoreSettings(FEED_STORAGE_FTP_ACTIVE=True))
    remote.send(file)
    remote.close()
    assert (ftp.root / "active.jl").read_bytes() == file.read_bytes()


def test_a_wrong_password_is_an_error_that_lasts(ftp: servers.Place) -> None:
    with pytest.raises(SendError, match="Authentication failed") as caught:
        open_remote(f"ftp://ann:wrong@127.0.0.1:{ftp.port}/x.jl", CoreSettings()).check()
    assert caught.value.lasting


def test_a_file_that_is_cut_off_on_its_way_never_has_the_name(file: Path) -> None:
    with servers.ftp(limit=100_000) as server:
        remote = open_remote(f"{server.url}/items.jl", CoreSettings())
        (server.root / "items.jl").write_text("old")
        with pytest.raises(SendError) as caught:
            remote.send(file)
        assert not caught.value.lasting
        assert (server.root / "items.jl").read_text() == "old"
        remote.send(file)
        remote.close()
        assert (server.root / "items.jl").read_bytes() == file.read_bytes()
        assert [path.name for path in server.root.iterdir()] == ["items.jl"]


def test_sftp_makes_folders_and_replaces(sftp: servers.Place, file: Path) -> None:
    remote = open_remote(f"{sftp.url}/a/b/items.jl", CoreSettings(), sftp.options)
    remote.send(file)
    file.write_text("new")
    remote.send(file)
    assert (sftp.root / "a/b/items.jl").read_text() == "new"
    comes_back(remote, file)
    assert [path.name for path in (sftp.root / "a/b").iterdir()] == ["items.jl"]


def test_a_server_that_is_not_in_known_hosts_is_refused(sftp: servers.Place, tmp_path: Path) -> None:
    (tmp_path / "known").write_text("")
    options = {**sftp.options, "known_hosts": str(tmp_path / "known")}
    with pytest.raises(SendError, match=r"is not in known_hosts; .* `ssh-keyscan -p \d+ 127.0.0.1 >> ") as caught:
        open_remote(f"{sftp.url}/items.jl", CoreSettings(), options).check()
    assert caught.value.lasting
