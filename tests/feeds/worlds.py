"""How do the tests make feeds, kill them and read what they wrote?"""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import zstandard
from lxml import etree

from crawler.config.schema import CoreSettings
from crawler.feeds import make_feeds

STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def feed_for(path: Any, options: dict[str, Any] | None = None, *, started: datetime = STARTED, **settings: Any) -> Any:
    """One feed, made as a crawl makes it."""
    (feed,) = make_feeds({str(path): options or {}}, CoreSettings(**settings), spider_name="books", started=started)
    return feed


def kill(feed: Any) -> None:
    """What SIGKILL does to a feed: its files are closed, and nothing more is written."""
    if feed._batch is not None:
        feed._batch.close()


def write_all(path: Any, items: list[Any], options: dict[str, Any] | None = None, **settings: Any) -> Any:
    """A crawl without a job: open, write, close."""
    feed = feed_for(path, options, **settings)
    feed.check()
    feed.open(None, durable=False)
    feed.committed(feed.write(items, len(items)))
    feed.close(finished=True)
    return feed


def content(path: Path) -> bytes:
    """The bytes of a file, decompressed by independent means."""
    data = path.read_bytes()
    if path.name.endswith(".gz"):
        return gzip.decompress(data)
    if path.name.endswith(".zst"):
        return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True).read()
    return data


def read(path: Path) -> list[Any]:
    """The items of a file, by the standard library's and lxml's readers."""
    data = content(path)
    name = path.name.removesuffix(".gz").removesuffix(".zst")
    if name.endswith(".json"):
        return json.loads(data)
    if name.endswith(".csv"):
        return list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    if name.endswith(".xml"):
        return [{field.tag: field.text or "" for field in item} for item in etree.fromstring(data)]
    return [json.loads(line) for line in data.decode().splitlines()]
