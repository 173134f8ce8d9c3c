"""Do the items of a crawl get to real servers, each once, whatever happens on the way?"""

from __future__ import annotations

import json
import lzma
import signal
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from crawler.errors import FeedError
from tests.commands.conftest import command, environment
from tests.feeds.worlds import feed_for
from tests.jobs.disks import SmallDisk
from tests.remote import servers
from tests.servers.process import folder

pytestmark = [pytest.mark.process, pytest.mark.slow]

SPIDER = """
from crawler import Spider


class Numbers(Spider):
    name = "numbers"
    start_urls = ["data:text/html,numbers"]
    custom_settings = {settings}

    def parse(self, response):
        yield from ({{"n": number, "text": "x" * 100}} for number in range(2000))
"""


def crawl(place: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    """Start a command in a folder."""
    environ = environment() | variables
    pipe = subprocess.PIPE
    return subprocess.Popen(command(*arguments), cwd=place, env=environ, stdout=pipe, stderr=pipe, text=True)


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for its end; return the status and what it said."""
    out, err = process.communicate(timeout=60)
    return process.returncode, out + err


def write_spider(place: Path, settings: dict[str, Any]) -> None:
    (place / "numbers_spider.py").write_text(SPIDER.format(settings=repr(settings)))


def numbers(data: bytes) -> list[int]:
    return [json.loads(line)["n"] for line in data.splitlines()]


class Holding(ThreadingHTTPServer):
    """A bucket that takes part of a file, and never says that it has it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Held)
        self.taken = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *args: object) -> None:
        """Who sent was killed."""


class _Held(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Holding

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_PUT(self) -> None:
        self.rfile.read(1000)
        self.server.taken.set()
        threading.Event().wait(30)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_kill_in_the_middle_of_an_upload_to_s3(tmp_path: Path, s3: servers.S3) -> None:
    s3.make_bucket("numbers")
    keys = {name: value for name, value in s3.settings.items() if name != "AWS_ENDPOINT_URL"}
    write_spider(tmp_path, {**keys, "FEEDS": {"s3://numbers/items.jsonl": {}}})
    holding = Holding()
    with serving(holding):
        run = crawl(tmp_path, "run", "numbers_spider.py", "--job", "mine", "-s", f"AWS_ENDPOINT_URL={holding.url}")
        taken = holding.taken.wait(30)
        run.send_signal(signal.SIGKILL)
        assert taken
        assert end(run)[0] == -9
    status, said = end(crawl(tmp_path, "resume", "mine", "-s", f"AWS_ENDPOINT_URL={s3.endpoint}"))
    assert status == 0, said
    assert numbers(s3.read("numbers/items.jsonl")) == list(range(2000))
    assert not list((tmp_path / ".crawler" / "jobs").glob("mine*"))


def test_a_bucket_without_rights_keeps_the_items_for_later(tmp_path: Path, s3: servers.S3) -> None:
    s3.make_bucket("later")
    write_spider(tmp_path, {**s3.settings, "FEEDS": {"s3://later/%(batch_id)d.jsonl": {"batch_item_count": 1500}}})
    with s3.without_rights():
        status, said = end(crawl(tmp_path, "run", "numbers_spider.py", "--job", "mine"))
    assert status == 1
    assert "feed 's3://later/%(batch_id)d.jsonl': s3://later/1.jsonl could not be written: " in said
    assert "the file is kept as " in said
    status, said = end(crawl(tmp_path, "resume", "mine"))
    assert status == 0, said
    assert numbers(s3.read("later/1.jsonl") + s3.read("later/2.jsonl")) == list(range(2000))


def test_a_bucket_that_is_not_there_is_told_before_the_start(tmp_path: Path, s3: servers.S3) -> None:
    write_spider(tmp_path, {**s3.settings, "FEEDS": {"s3://nowhere/items.jsonl": {}}})
    status, said = end(crawl(tmp_path, "run", "numbers_spider.py"))
    assert (status, said) == (2, "crawler: feed 's3://nowhere/items.jsonl': there is no bucket 'nowhere'\n")


def test_a_connection_that_is_cut_off_is_tried_again(tmp_path: Path) -> None:
    write_spider(tmp_path, {"JOB_KEEP": True})
    with servers.ftp(limit=50_000) as server:
        run = crawl(tmp_path, "run", "numbers_spider.py", "-O", f"{server.url}/a/items.jsonl", "--job", "mine")
        status, said = end(run)
        assert status == 0, said
        assert "cannot be reached, which is tried again in 1 s" in said
        assert "se%2Fcret" not in said
        assert numbers((server.root / "a" / "items.jsonl").read_bytes()) == list(range(2000))
        assert [path.name for path in (server.root / "a").iterdir()] == ["items.jsonl"]


def test_a_resume_takes_the_password_from_the_environment(tmp_path: Path, ftp: servers.Place) -> None:
    write_spider(tmp_path, {})
    stopped = crawl(tmp_path, "run", "numbers_spider.py", "-O", f"{ftp.url}/resumed.jsonl", "--job", "mine", "-s",
                    "CLOSESPIDER_ITEMCOUNT=1")  # fmt: skip
    assert end(stopped)[0] == 0
    status, said = end(crawl(tmp_path, "resume", "mine"))
    assert status == 2
    asked = f"STORE_CREDENTIALS='ftp://ann:***@127.0.0.1:{ftp.port}'"
    assert asked in said
    given = {"STORE_CREDENTIALS": ftp.url}
    assert end(crawl(tmp_path, "resume", "mine", "-s", "CLOSESPIDER_ITEMCOUNT=0", **given))[0] == 0
    assert numbers((ftp.root / "resumed.jsonl").read_bytes()) == list(range(2000))


def test_batches_by_sftp(tmp_path: Path, sftp: servers.Place) -> None:
    url = f"{sftp.url}/out/%(batch_id)d.jsonl.xz"
    write_spider(tmp_path, {"FEEDS": {url: {"batch_item_count": 900, "storage_options": sftp.options}}})
    status, said = end(crawl(tmp_path, "run", "numbers_spider.py"))
    assert status == 0, said
    assert "paramiko" not in said
    data = [lzma.decompress((sftp.root / "out" / f"{number}.jsonl.xz").read_bytes()) for number in (1, 2, 3)]
    assert numbers(b"".join(data)) == list(range(2000))


def written(path: str, place: Path, options: dict[str, Any]) -> Any:
    """A feed with 300 kB in it that is still to be closed."""
    feed = feed_for(path, options)
    feed.pause = lambda _: None
    feed.place(place)
    feed.open(None, durable=True)
    for mark in (feed.write((), 0), feed.write([{"x": "y" * 100_000}] * 3, 3)):
        feed.kept(mark)
        feed.committed(mark)
    return feed


class Same:
    def __init__(self, file: Any, feed_options: dict[str, Any]) -> None:
        self.write, self.close = file.write, lambda: None


@pytest.mark.parametrize("how", ["ftp", "here"])
def test_a_full_disk_where_the_file_goes(tmp_path: Path, how: str) -> None:
    if problem := SmallDisk.problem():
        pytest.skip(problem)
    with folder("small") as above, SmallDisk(above / "disk", room=100_000) as disk:
        if how == "ftp":
            with servers.ftp(root=disk.folder) as server:
                _fills(written(f"{server.url}/x.jl", tmp_path, {}), disk, tmp_path)
        else:
            options = {"postprocessing": [Same], "overwrite": True}
            _fills(written(f"{disk.folder}/x.jl", tmp_path, options), disk, tmp_path)


def _fills(feed: Any, disk: SmallDisk, place: Path) -> None:
    with pytest.raises(FeedError, match=r"could not be written: .*; the file is kept as "):
        feed.close(finished=False)
    assert not (disk.folder / "x.jl").exists()
    (kept,) = [path for path in place.rglob("*.jl") if path.is_file()]
    disk.free()
    feed.open(None, durable=False)
    feed.committed(feed.write([{"x": "y" * 100_000}] * 3, 3))
    feed.close(finished=True)
    assert (disk.folder / "x.jl").read_bytes() == kept.read_bytes()
