"""Do bodies that lie in files leave nothing behind, and is each whole?"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from crawler.download.body_file import BodyFile
from crawler.errors import FetchError, LocalFailure


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.process
def test_a_temporary_body_has_no_name_and_can_be_read_by_its_path(tmp_path: Path) -> None:
    file = BodyFile.temporary(str(tmp_path))
    file.write(b"a" * 100_000)
    assert names(tmp_path) == []
    path = file.keep()
    assert names(tmp_path) == []
    assert path.stat().st_size == 100_000
    assert path.read_bytes() == path.read_bytes() == b"a" * 100_000
    count = [sys.executable, "-c", "import sys; print(len(open(sys.argv[1], 'rb').read()))", path]
    assert subprocess.run(count, capture_output=True, check=True).stdout == b"100000\n"
    descriptor = int(path.name)
    del path, count
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_named_body_has_no_name_until_it_is_complete(tmp_path: Path) -> None:
    final = tmp_path / "deep" / "er" / "body"
    file = BodyFile.named(final)
    file.write(b"page")
    assert names(final.parent) == []
    assert file.keep() == final
    assert (final.read_bytes(), names(final.parent)) == (b"page", ["body"])
    mask = os.umask(0)
    os.umask(mask)
    assert final.stat().st_mode & 0o777 == 0o666 & ~mask


@pytest.mark.parametrize("nameless", [True, False])
def test_two_bodies_for_one_name_are_each_whole(
    nameless: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not nameless:
        monkeypatch.delattr(os, "O_TMPFILE")
    final = tmp_path / "body"
    first, second, third = (BodyFile.named(final) for _ in range(3))
    for _ in range(3):
        first.write(b"a" * 5000)
        second.write(b"b" * 4000)
        third.write(b"c")
    assert second.keep().read_bytes() == b"b" * 12_000
    assert first.keep().read_bytes() == b"a" * 15_000
    third.discard()
    assert names(tmp_path) == ["body"]


def test_a_temporary_folder_that_cannot_be_written_is_no_fault_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LocalFailure, match="TMPDIR"):
        BodyFile.temporary(str(tmp_path / "none"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(LocalFailure, match="TMPDIR"):
        BodyFile.temporary()


@pytest.mark.parametrize("name", [".", "file/body", "a" * 300, "nul\0"])
def test_a_name_that_cannot_be_written_is_the_fault_of_its_request(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FetchError, match="cannot write the body to") as caught:
        BodyFile.named(tmp_path / name).keep()
    assert not isinstance(caught.value, LocalFailure)
    assert names(tmp_path) == ["file"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_a_local_failure() -> None:
    file = BodyFile(Path("/dev/full").open("wb"), None, Path("body"))  # noqa: SIM115 - keep() closes it
    file.write(b"page")
    with pytest.raises(LocalFailure, match="No space left"):
        file.keep()
