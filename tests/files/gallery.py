"""A gallery of images on many hosts, served from a thread on loopback, and a crawl of it that is killed."""

from __future__ import annotations

import asyncio
import io
import json
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import md5, sha1
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from tests.jobs.running import end, start, wait_for

PER_PAGE = 10

SPIDER = '''
from crawler import Request, Spider


class Gallery(Spider):
    """Yields an item for each image; every item of a host shares its logo, too."""

    name = "gallery"
    port: int
    images: int
    hosts: int = 20
    names: bool = True  # -a names=no: the same items, without images

    def start_requests(self):
        for page in range(self.images // 10):
            yield Request(f"http://127.0.0.{page % self.hosts + 1}:{self.port}/page/{page}")

    def parse(self, response):
        for row in response.css("li"):
            item = {"n": int(row.css("::attr(id)").get()), "title": row.css("b::text").get()}
            if self.names:
                item["image_urls"] = [response.urljoin(url) for url in row.css("img::attr(src)").getall()]
            yield item
'''


def _pictures() -> list[bytes]:
    """Return a few photographs of about 20 kB, to which each image adds its number."""
    found = []
    for seed in range(5):
        noise = random.Random(seed).randbytes(120 * 90 * 3)
        file = io.BytesIO()
        Image.frombytes("RGB", (120, 90), noise).resize((480, 360), Image.Resampling.BICUBIC).save(file, "JPEG")
        found.append(file.getvalue())
    return found


@dataclass
class Gallery:
    """Serves pages of ten images each, and for each host (127.0.0.1, 127.0.0.2, …) a logo. A context manager.

    ``log`` has each request that was answered: host and path, and when (monotonic seconds) its last byte was handed to
    the system.
    """

    images: int
    hosts: int = 20
    log: list[tuple[str, float]] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self._pictures = _pictures()
        self.open: set[asyncio.Transport] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="gallery", daemon=True)

    def __enter__(self) -> Gallery:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _serve(self) -> None:
        server = self._loop.run_until_complete(self._loop.create_server(lambda: _Connection(self), "0.0.0.0", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for transport in self.open:
            transport.abort()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def body(self, path: str) -> bytes | None:
        """Return what is at a path."""
        kind, _, number = path[1:].partition("/")
        if kind == "image":
            return self._pictures[int(number[:-4]) % 5] + number.encode()
        if kind == "page":
            rows = (f'<li id={n}><b>Image {n}</b><img src="/image/{n}.jpg"><img src="/logo.jpg">' for n in _of(number))
            return f"<!DOCTYPE html><title>{number}</title><ul>{''.join(rows)}</ul>".encode()
        return self._pictures[0] if path == "/logo.jpg" else None

    @property
    def fetched(self) -> list[tuple[str, float]]:
        """The answered requests for images, logos among them."""
        return [each for each in list(self.log) if each[0].endswith(".jpg")]

    def expected(self) -> dict[str, bytes]:
        """Return the content of every image by its path in the store."""
        found = {}
        for number in range(self.images):
            host = number // PER_PAGE % self.hosts + 1
            for path in (f"/image/{number}.jpg", "/logo.jpg"):
                url = f"http://127.0.0.{host}:{self.port}{path}"
                found[f"full/{sha1(url.encode()).hexdigest()}.jpg"] = self.body(path) or b""
        return found


def _of(page: str) -> range:
    return range(int(page) * PER_PAGE, (int(page) + 1) * PER_PAGE)


class _Connection(asyncio.Protocol):
    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._gallery.open.add(transport)
        self._host = transport.get_extra_info("sockname")[0]

    def connection_lost(self, exc: Exception | None) -> None:
        self._gallery.open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while b"\r\n\r\n" in self._heard:
            head, _, self._heard = self._heard.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            body = self._gallery.body(path)
            kind = "image/jpeg" if path.endswith(".jpg") else "text/html"
            status = "404 Not Found" if body is None else "200 OK"
            lines = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body or b'')}\r\n\r\n"
            self._transport.write(lines.encode() + (body or b""))
            self._gallery.log.append((f"{self._host}{path}", time.monotonic()))


class Killed(NamedTuple):
    """How a crawl with kills came out. ``again``: paths fetched once more; ``early`` of them had long been there."""

    kills: list[float]
    asked: int
    again: list[str]
    early: list[str]
    missing_items: int
    double_items: int
    broken: list[str]
    left_over: list[str]

    @property
    def good(self) -> bool:
        """Whether every item is there once, every file whole, and nothing was fetched again that was kept."""
        return not (self.early or self.missing_items or self.double_items or self.broken)


KEPT_SECONDS = 5.0
"""So long after its last byte left the server a file may still be on its way: with room for a machine that is busy."""


def crawl_killed(gallery: Gallery, folder: Path, *, kills: int, options: tuple[str, ...] = ()) -> Killed:
    """Crawl the gallery with SIGKILLs spread over it, resume after each, and look at what came out."""
    spider, log, jobs = folder / "gallery.py", folder / "log.txt", f"JOB_DIR={folder / 'jobs'}"
    spider.write_text(SPIDER)
    first = (
        *("run", str(spider), "--job", "k", "-s", jobs, "-O", str(folder / "items.jsonl")),
        *("-a", f"port={gallery.port}", "-a", f"images={gallery.images}", "-a", f"hosts={gallery.hosts}"),
        *("-s", 'PIPELINES=["crawler.Images"]', "-s", f"IMAGES_STORE={folder / 'store'}", *options),
    )
    killed: list[float] = []
    process = start(*first, log=log, cwd=folder)
    for number in range(1, kills + 1):
        goal = gallery.images * number // (kills + 1)
        wait_for(lambda goal=goal, running=process: len(gallery.fetched) >= goal or running.poll() is not None,
                 timeout=600)  # fmt: skip
        assert process.poll() is None, log.read_text()[-3000:]
        end(process, signal.SIGKILL)
        killed.append(time.monotonic())
        process = start("resume", "k", "-s", jobs, log=log, cwd=folder)
    try:
        assert process.wait(600) == 0, log.read_text()[-3000:]
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return _looked_at(gallery, folder, killed)


def _looked_at(gallery: Gallery, folder: Path, killed: list[float]) -> Killed:
    items = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    counts = Counter(item["n"] for item in items)
    again, early = [], []
    last: dict[str, float] = {}
    for path, when in gallery.fetched:
        if path in last:
            again.append(path)
            if not any(0 <= kill - last[path] + 0.1 < KEPT_SECONDS for kill in killed):
                early.append(path)
        last[path] = when
    store = folder / "store"
    left = [path.name for path in (store / ".incoming").iterdir()]
    return Killed(
        kills=killed,
        asked=len(gallery.fetched),
        again=again,
        early=early,
        missing_items=len(set(range(gallery.images)) - set(counts)),
        double_items=sum(counts.values()) - len(counts),
        broken=list(_broken(gallery, store, items)),
        left_over=left,
    )


def _broken(gallery: Gallery, store: Path, items: list[dict[str, object]]) -> Iterator[str]:
    expected = gallery.expected()
    named: dict[str, object] = {}
    for item in items:
        images = item["images"]
        assert isinstance(images, list)
        if len(images) != 2:
            yield f"item {item['n']} has {images}"
        named |= {image["path"]: image["checksum"] for image in images}
    for path, body in expected.items():
        with suppress(FileNotFoundError):
            if (store / path).read_bytes() == body and named.get(path) == md5(body).hexdigest():
                continue
        yield path


__all__ = ["PER_PAGE", "SPIDER", "Gallery", "Killed", "crawl_killed"]
