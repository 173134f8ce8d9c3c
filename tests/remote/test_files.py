"""Are the files of items kept whole on other machines, found again, and is a store that takes none told of?"""

from __future__ import annotations

from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from crawler import Images
from crawler.errors import SettingError, UsageError
from crawler.files.remote import RemoteStore
from tests.engine.virtual import ROOT
from tests.files.support import PDF, only, picture, run
from tests.remote import servers

ITEM = {"file_urls": [f"{ROOT}doc.pdf"]}
COVER = {"image_urls": [f"{ROOT}cover"]}
OFFERED = {"FILES_NAME": "offered"}
CHECKSUM = md5(PDF).hexdigest()


def keep(url: str, folder: Path, **settings: Any) -> Any:
    """Crawl one item with its file into a store; return what the item says of it, and the URLs that were asked for."""
    given = {"FILES_STORE": url, "JOB_DIR": str(folder / "jobs"), **settings}
    result = run(folder, {"doc.pdf": PDF}, ITEM, **given)
    assert list((folder / "jobs" / "incoming").iterdir()) == []
    return only(result), result.urls


@pytest.mark.parametrize("settings", [{}, OFFERED])
def test_a_store_in_memory_keeps_and_finds(tmp_path: Path, settings: dict[str, Any]) -> None:
    url = f"memory://{tmp_path.name}"
    found, _ = keep(url, tmp_path, **settings)
    assert (found["status"], found["checksum"]) == ("downloaded", CHECKSUM)
    assert MemoryFileSystem().cat(f"{url}/{found['path']}") == PDF
    again, asked = keep(url, tmp_path, **settings)
    assert again == {**found, "status": "uptodate"}
    assert asked == [ROOT]
    assert keep(url, tmp_path, **settings, FILES_EXPIRES=0)[0]["status"] == "downloaded"


def test_images_and_thumbnails_are_kept_there(tmp_path: Path) -> None:
    url, thumbs = f"memory://{tmp_path.name}", {"small": (10, 10)}
    given = {"IMAGES_STORE": url, "IMAGES_THUMBS": thumbs, "JOB_DIR": str(tmp_path)}
    for status in ("downloaded", "uptodate"):
        assert only(run(tmp_path, {"cover": picture()}, COVER, stage=Images, **given), "images")["status"] == status
    files = [path.removeprefix(f"/{tmp_path.name}/") for path in MemoryFileSystem().find(url)]
    assert sorted(path.partition("/")[0] for path in files) == ["full", "thumbs"]


def test_a_scheme_that_nobody_knows_is_told_before_the_start(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ftb:// is no place that files can be sent to; did you mean"):
        keep("ftb://h/x", tmp_path)


def test_a_store_that_does_not_answer_is_tried_again_and_then_stops_the_crawl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    def broken(*_: Any, **__: Any) -> None:
        if waited or MemoryFileSystem.store:
            raise ConnectionResetError("reset by peer")

    monkeypatch.setattr("crawler.files.remote.time.sleep", waited.append)
    monkeypatch.setattr(RemoteStore, "check", lambda store: store.incoming.mkdir(parents=True) or set())
    monkeypatch.setattr(MemoryFileSystem, "put_file", broken)
    monkeypatch.setitem(MemoryFileSystem.store, "/x", None)
    given = {"FILES_STORE": f"memory://{tmp_path.name}", "JOB_DIR": str(tmp_path / "jobs")}
    result = run(tmp_path, {"doc.pdf": PDF}, ITEM, job=tmp_path / "job", **given)
    assert waited == [1.0, 4.0, 15.0]
    (problem,) = result.summary.problems
    assert problem.startswith("FILES_STORE: full/")
    assert problem.endswith("reset by peer")
    assert result.items == []


@pytest.mark.slow
@pytest.mark.process
def test_s3(s3: servers.S3, tmp_path: Path) -> None:
    s3.make_bucket("papers")
    for settings in ({}, OFFERED):
        found, _ = keep("s3://papers/kept", tmp_path, **s3.settings, **settings)
        assert (found["status"], found["checksum"]) == ("downloaded", CHECKSUM)
        assert s3.read(f"papers/kept/{found['path']}") == PDF
        again, asked = keep("s3://papers/kept", tmp_path, **s3.settings, **settings)
        assert (again, asked) == ({**found, "status": "uptodate"}, [ROOT])


@pytest.mark.slow
@pytest.mark.process
def test_a_bucket_without_rights_is_told_before_the_start(s3: servers.S3, tmp_path: Path) -> None:
    s3.make_bucket("closed")
    with s3.without_rights(), pytest.raises(SettingError, match="FILES_STORE: no file can be written to s3://closed"):
        keep("s3://closed", tmp_path, **s3.settings)
    with pytest.raises(SettingError, match="there is no bucket 'nowhere'"):
        keep("s3://nowhere/x", tmp_path, **s3.settings)


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.parametrize("settings", [{}, OFFERED])
def test_ftp(ftp: servers.Place, tmp_path: Path, settings: dict[str, Any]) -> None:
    url = f"{ftp.url}/{tmp_path.name}"
    found, _ = keep(url, tmp_path, **settings)
    assert (ftp.root / tmp_path.name / found["path"]).read_bytes() == PDF
    again, asked = keep(url, tmp_path, **settings)
    assert (again, asked) == ({**found, "status": "uptodate"}, [ROOT])
    names = {path.name for path in (ftp.root / tmp_path.name).rglob("*") if path.is_file()}
    assert names == {Path(found["path"]).name}


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.parametrize("settings", [{}, OFFERED])
def test_sftp(sftp: servers.Place, tmp_path: Path, settings: dict[str, Any]) -> None:
    url, given = f"{sftp.url}/{tmp_path.name}", {**settings, "FILES_STORE_OPTIONS": sftp.options}
    found, _ = keep(url, tmp_path, **given)
    assert (sftp.root / tmp_path.name / found["path"]).read_bytes() == PDF
    again, asked = keep(url, tmp_path, **given)
    assert (again, asked) == ({**found, "status": "uptodate"}, [ROOT])
