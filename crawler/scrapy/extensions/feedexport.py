"""Where may a feed go, and which items? What FEED_STORAGES and ``item_filter`` have for a base.

The feeds themselves are written by crawler.feeds. A storage is a class with ``open(spider)``, which returns the file
that is written, and ``store(file)``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, NoReturn, Self

from w3lib.url import file_uri_to_path
from zope.interface import Interface

from crawler.feeds.storage import Elsewhere
from crawler.scrapy.exceptions import NotConfigured
from crawler.scrapy.names.layers import FromScrapy
from crawler.scrapy.utils.asyncio import run_in_thread
from crawler.scrapy.utils.defer import deferred_from_coro
from crawler.scrapy.utils.misc import load_object


class ItemFilter:
    """Which items a feed takes: those of its ``item_classes``, or all."""

    def __init__(self, feed_options: dict[str, Any] | None) -> None:
        self.feed_options = feed_options
        self.item_classes = tuple(map(load_object, (feed_options or {}).get("item_classes") or ()))

    def accepts(self, item: Any) -> bool:
        """Tell whether an item goes into the feed."""
        return not self.item_classes or isinstance(item, self.item_classes)


class IFeedStorage(Interface):  # type: ignore[misc]  # zope has no types
    """What a storage is."""


class BlockingFeedStorage:
    """A storage that is given a whole file in a thread: ``_store_in_thread(file)``."""

    def open(self, spider: Any) -> IO[bytes]:
        """Return a file in FEED_TEMPDIR. Raises OSError if that is no folder."""
        folder = spider.crawler.settings["FEED_TEMPDIR"]
        if folder and not Path(folder).is_dir():
            raise OSError(f"Not a Directory: {folder}")
        return NamedTemporaryFile(prefix="feed-", dir=folder)  # closed by who stores it

    def store(self, file: IO[bytes]) -> Any:
        """Store a file, and close it; return a Deferred."""
        return deferred_from_coro(run_in_thread(self._store_in_thread, file))

    def _store_in_thread(self, file: IO[bytes]) -> None:
        raise NotImplementedError


class StdoutFeedStorage:
    """Standard output."""

    def __init__(self, uri: str, _stdout: Any = None, *, feed_options: dict[str, Any] | None = None) -> None:
        self._stdout = _stdout or sys.stdout.buffer

    def open(self, spider: Any) -> Any:
        """Return standard output."""
        return self._stdout

    def store(self, file: IO[bytes]) -> None:
        """Nothing is left to do."""


class FileFeedStorage:
    """A file of this machine, by its path or its file: URL."""

    def __init__(self, uri: str, *, feed_options: dict[str, Any] | None = None) -> None:
        self.path: str = file_uri_to_path(uri) if uri.startswith("file:") else uri
        self.write_mode = "wb" if (feed_options or {}).get("overwrite") else "ab"

    def open(self, spider: Any) -> Any:
        """Return the file."""
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        return Path(self.path).open(self.write_mode)

    def store(self, file: IO[bytes]) -> None:
        """Close the file."""
        file.close()


class S3FeedStorage(BlockingFeedStorage):
    """A place on another machine, by its URL: crawler.feeds.storage.Elsewhere, by the crawl's settings."""

    def __init__(self, uri: str, *, feed_options: dict[str, Any] | None = None, crawler: Any = None) -> None:
        self.uri, self.feed_options, self.crawler = uri, feed_options, crawler

    @classmethod
    def from_crawler(cls, crawler: Any, uri: str, *, feed_options: dict[str, Any] | None = None) -> Self:
        """Make one for a crawl."""
        return cls(uri, feed_options=feed_options, crawler=crawler)

    def _store_in_thread(self, file: IO[bytes]) -> None:
        with file:
            file.flush()
            Elsewhere(FromScrapy.made_of(self.crawler.settings).core, {}).store(Path(file.name), self.uri)


GCSFeedStorage = FTPFeedStorage = S3FeedStorage


class FeedExporter:
    """The name that switches feeds off: ``EXTENSIONS = {"scrapy.extensions.feedexport.FeedExporter": None}``."""

    @classmethod
    def from_crawler(cls, crawler: Any) -> NoReturn:
        """Raise NotConfigured."""
        raise NotConfigured  # the feeds of FEEDS are written by crawler.feeds
