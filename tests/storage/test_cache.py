from __future__ import annotations

import logging
import os
import random
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from crawler.model.cached import CachedPage
from crawler.storage.cache import CacheFile


def page(number: int = 0, *, body: bytes = b"body", received: float | None = None, **fields: Any) -> CachedPage:
    now = time.time() if received is None else received
    return CachedPage(f"http://a/{number}", 200, [(b"ETag", b"x")], now, now, body=body, **fields)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[CacheFile]:
    file = CacheFile(tmp_path / "cache.sqlite")
    yield file
    file.close()


def test_keep_and_find(cache: CacheFile) -> None:
    one = page(1, body=b"x" * 10_000, protocol="h2", reason="Fine")
    cache.keep(b"1", one)
    assert cache.find(b"1") == [one]
    assert cache.find(b"2") == []
    two = page(1, body=b"new")
    cache.keep(b"1", two)
    assert cache.find(b"1") == [two]
    assert cache.stats()["pages"] == 1
    cache.remove(b"1")
    assert cache.find(b"1") == []
    assert cache.stats() == {"pages": 0, "bytes": 0, "oldest": None, "latest": None}


def test_variants_are_kept_side_by_side_and_bounded(cache: CacheFile) -> None:
    for n in range(40):
        cache.keep(b"1", page(n, vary=[b"accept"], said=[[b"%d" % n]], received=1000.0 + n))
    found = cache.find(b"1")
    assert len(found) == 16
    assert found[0].said == [[b"39"]]


def test_size_is_bounded(tmp_path: Path) -> None:
    cache = CacheFile(tmp_path / "c", max_size=100_000)
    noise = random.Random(1).randbytes(150_000)
    for n in range(200):
        cache.keep(b"%d" % n, page(n, body=noise[:5000], received=1000.0 + n))
    assert 50_000 < cache.stats()["bytes"] <= 100_000
    assert cache.find(b"199")
    assert not cache.find(b"0")
    cache.keep(b"huge", page(body=noise))
    assert not cache.find(b"huge")
    cache.close()


def test_age_is_bounded(tmp_path: Path) -> None:
    now = 10_000.0
    cache = CacheFile(tmp_path / "c", max_age=100, wall=lambda: now)
    cache.keep(b"1", page(received=9_950.0))
    assert cache.find(b"1")
    now = 10_051.0
    assert not cache.find(b"1")
    cache.close()
    cache = CacheFile(tmp_path / "c", max_age=100, wall=lambda: now)
    cache.keep(b"2", page(received=now))
    assert cache.stats()["pages"] == 1
    cache.close()


def test_it_lasts(tmp_path: Path) -> None:
    first = CacheFile(tmp_path / "sub" / "c")
    first.keep(b"1", page(1))
    second = CacheFile(tmp_path / "sub" / "c")
    second.keep(b"2", page(2))
    assert first.find(b"2")[0].url == "http://a/2"
    first.close()
    assert second.find(b"1")
    assert second.clear() == 2
    second.close()
    assert first.find(b"1") == []
    assert (tmp_path / "sub" / "c").stat().st_mode & 0o777 == 0o600


@pytest.mark.process
def test_several_processes(tmp_path: Path) -> None:
    program = """
import sys, time
from pathlib import Path
from crawler.model.cached import CachedPage
from crawler.storage.cache import CacheFile
cache = CacheFile(Path(sys.argv[1]))
for n in range(100):
    cache.keep(f"{sys.argv[2]}-{n}".encode(), CachedPage("u", 200, [], time.time(), time.time(), body=b"x" * 500))
cache.close()
"""
    running = [subprocess.Popen([sys.executable, "-c", program, tmp_path / "c", str(n)]) for n in range(3)]
    assert [process.wait(30) for process in running] == [0, 0, 0]
    cache = CacheFile(tmp_path / "c")
    assert cache.stats()["pages"] == 300
    cache.close()


def test_one_file_is_begun_by_many_at_one_moment(tmp_path: Path) -> None:
    together = threading.Barrier(4)

    def begin(n: int) -> bool:
        together.wait()
        cache = CacheFile(tmp_path / f"c{n}")
        cache.keep(b"1", page())
        kept = cache.stats()["pages"] == 1
        cache.close()
        return kept

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(begin, [n for n in range(50) for _ in range(4)]))


def test_a_damaged_file_is_put_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "c").write_bytes(b"this was never a database" * 1000)
    cache = CacheFile(tmp_path / "c")
    assert "damaged" in caplog.text
    assert (tmp_path / "c.damaged").exists()
    cache.keep(b"1", page())
    assert cache.find(b"1")
    cache.close()


def test_a_file_damaged_later_is_a_miss(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = CacheFile(tmp_path / "c")
    for n in range(200):
        cache.keep(b"%d" % n, page(body=b"x%d" % n * 500))
    cache.close()
    data = bytearray((tmp_path / "c").read_bytes())
    data[4096:] = b"\xaa" * (len(data) - 4096)
    (tmp_path / "c").write_bytes(data)
    cache = CacheFile(tmp_path / "c")
    assert cache.find(b"5") == []
    cache.keep(b"6", page())
    assert any(record.levelno == logging.WARNING for record in caplog.records)
    cache.close()


def test_a_damaged_page_is_removed(cache: CacheFile, caplog: pytest.LogCaptureFixture) -> None:
    for name, column in ((b"1", "body"), (b"2", "facts")):
        cache.keep(name, page())
        other = sqlite3.connect(cache.path)
        other.execute(f"update pages set {column} = x'00ff' where key = ?", (name,))
        other.commit()
        other.close()
        assert cache.find(name) == []
        assert "damaged" in caplog.text
    assert cache.stats()["pages"] == 0


def test_a_pickle_is_only_a_damaged_page(cache: CacheFile) -> None:
    cache.keep(b"1", page())
    other = sqlite3.connect(cache.path)
    other.execute("update pages set facts = ?, body = ?", (b"cos\nsystem\n(S'exit 1'\ntR.",) * 2)
    other.commit()
    other.close()
    assert cache.find(b"1") == []


def test_a_folder_that_cannot_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "c").mkdir()
    cache = CacheFile(tmp_path / "c")
    cache.keep(b"1", page())
    assert cache.find(b"1") == []
    assert "cannot be used" in caplog.text
    cache.close()


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()}


def test_the_file_and_its_companions_are_private_from_the_first_moment(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        file = CacheFile(tmp_path / "new" / "deep" / "cache.sqlite")
        file.keep(b"1", page())
        assert modes(tmp_path) == dict.fromkeys(("cache.sqlite", "cache.sqlite-wal", "cache.sqlite-shm"), 0o600)
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "new" / "deep").stat().st_mode) == 0o700
        file.close()
    finally:
        os.umask(before)


def test_an_open_cache_file_of_before_is_made_private(tmp_path: Path) -> None:
    CacheFile(tmp_path / "cache.sqlite").close()
    (tmp_path / "cache.sqlite").chmod(0o644)
    (tmp_path / "cache.sqlite-wal").touch(0o644)
    file = CacheFile(tmp_path / "cache.sqlite")
    file.keep(b"1", page())
    assert set(modes(tmp_path).values()) == {0o600}
    file.close()
