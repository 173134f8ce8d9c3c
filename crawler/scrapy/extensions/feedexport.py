"""Where may a feed go, and which items? The classes that FEED_STORAGES and ``item_filter`` have for a base.

The feeds themselves are written by crawler.feeds. A storage is a class with ``open(spider)``, which returns the file
that is written, and ``store(file)``.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, NoReturn, Self
from urllib.parse import unquote, urlparse

from w3lib.url import file_uri_to_path
from zope.interface import Interface

from crawler.config.schema import CoreSettings
from crawler.feeds.storage import Elsewhere
from crawler.scrapy.exceptions import NotConfigured
from crawler.scrapy.utils.asyncio import run_in_thread
from crawler.scrapy.utils.defer import deferred_from_coro
from crawler.scrapy.utils.ftp import ftp_store_file
from crawler.scrapy.utils.misc import load_object

logger = logging.getLogger(__name__)


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


def _warn_of_overwrite(feed_options: Mapping[str, Any] | None, place: str, *, overwrite: bool) -> None:
    if feed_options and feed_options.get("overwrite") is overwrite:
        what = "support overwriting" if overwrite else "support appending to files"
        logger.warning("%s does not %s: leave the feed's option overwrite out", place, what)


class StdoutFeedStorage:
    """Standard output."""

    def __init__(self, uri: str, _stdout: Any = None, *, feed_options: dict[str, Any] | None = None) -> None:
        self._stdout = _stdout or sys.stdout.buffer
        _warn_of_overwrite(feed_options, "Standard output (stdout) storage", overwrite=True)

    def open(self, spider: Any) -> IO[bytes]:
        """Return standard output."""
        stream: IO[bytes] = self._stdout
        return stream

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


class _Bucket(BlockingFeedStorage):
    def __init__(self, uri: str, core: CoreSettings, feed_options: dict[str, Any] | None) -> None:
        self._uri, self._core = uri, core
        parts = urlparse(uri)
        self._bucket, self._key = parts.hostname, parts.path[1:]
        _warn_of_overwrite(feed_options, type(self).__name__, overwrite=False)

    def _store_in_thread(self, file: IO[bytes]) -> None:
        with file:
            file.flush()
            Elsewhere(self._core, {}).store(Path(file.name), self._uri)


class S3FeedStorage(_Bucket):
    """A bucket of S3: s3://bucket/file."""

    def __init__(
        self,
        uri: str,
        access_key: str | None = None,
        secret_key: str | None = None,
        acl: str | None = None,
        endpoint_url: str | None = None,
        *,
        feed_options: dict[str, Any] | None = None,
        session_token: str | None = None,
        region_name: str | None = None,
        max_pool_connections: int | None = None,
    ) -> None:
        parts = urlparse(uri)
        self.access_key, self.secret_key = parts.username or access_key, parts.password or secret_key
        self.max_pool_connections = max_pool_connections
        self.session_token, self.acl, self.endpoint_url, self.region_name = (
            session_token,
            acl,
            endpoint_url,
            region_name,
        )
        core = CoreSettings(
            AWS_ACCESS_KEY_ID=self.access_key, AWS_SECRET_ACCESS_KEY=self.secret_key, AWS_SESSION_TOKEN=session_token,
            AWS_ENDPOINT_URL=endpoint_url, AWS_REGION_NAME=region_name, FEED_STORAGE_S3_ACL=acl or "",
        )  # fmt: skip
        super().__init__(uri, core, feed_options)
        self.bucketname, self.keyname = self._bucket, self._key

    @classmethod
    def from_crawler(cls, crawler: Any, uri: str, *, feed_options: dict[str, Any] | None = None) -> Self:
        """Make one by the settings."""
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "FEED_STORAGE_S3_ACL", "AWS_ENDPOINT_URL")
        values = [crawler.settings[name] or None for name in names]
        token, region = crawler.settings["AWS_SESSION_TOKEN"], crawler.settings["AWS_REGION_NAME"] or None
        pool = crawler.settings.getint("AWS_MAX_POOL_CONNECTIONS") or crawler.settings.getint(
            "REACTOR_THREADPOOL_MAXSIZE"
        )
        options = {"session_token": token, "region_name": region, "max_pool_connections": pool}
        return cls(uri, *values, **options, feed_options=feed_options)


class GCSFeedStorage(_Bucket):
    """A bucket of Google Cloud Storage: gs://bucket/file."""

    def __init__(
        self, uri: str, project_id: str | None, acl: str | None, *, feed_options: dict[str, Any] | None = None
    ) -> None:
        self.project_id, self.acl = project_id, acl
        super().__init__(uri, CoreSettings(GCS_PROJECT_ID=project_id), feed_options)
        self.bucket_name, self.blob_name = self._bucket, self._key

    @classmethod
    def from_crawler(cls, crawler: Any, uri: str, *, feed_options: dict[str, Any] | None = None) -> Self:
        """Make one by the settings."""
        settings = crawler.settings
        acl = settings["FEED_STORAGE_GCS_ACL"] or None
        return cls(uri, settings["GCS_PROJECT_ID"], acl, feed_options=feed_options)


class FTPFeedStorage(BlockingFeedStorage):
    """A file of an FTP server; user and password are in the URL."""

    def __init__(self, uri: str, use_active_mode: bool = False, *, feed_options: dict[str, Any] | None = None) -> None:
        parts = urlparse(uri)
        if not parts.hostname:
            raise ValueError(f"Got a storage URI without a hostname: {uri}")
        self.host, self.port, self.path = parts.hostname, parts.port or 21, parts.path
        self.username, self.password = parts.username or "", unquote(parts.password or "")
        self.tls, self.use_active_mode = parts.scheme == "ftps", use_active_mode
        self.overwrite: bool = (feed_options or {}).get("overwrite", True)

    @classmethod
    def from_crawler(cls, crawler: Any, uri: str, *, feed_options: dict[str, Any] | None = None) -> Self:
        """Make one by the settings."""
        active = crawler.settings.getbool("FEED_STORAGE_FTP_ACTIVE")
        return cls(uri, use_active_mode=active, feed_options=feed_options)

    def _store_in_thread(self, file: IO[bytes]) -> None:
        names = ("path", "host", "port", "username", "password", "use_active_mode", "overwrite", "tls")
        ftp_store_file(file=file, **{name: getattr(self, name) for name in names})


class FeedExporter:
    """The name that switches feeds off: ``EXTENSIONS = {"scrapy.extensions.feedexport.FeedExporter": None}``."""

    @classmethod
    def from_crawler(cls, crawler: Any) -> NoReturn:
        """Raise NotConfigured."""
        raise NotConfigured("the feeds of FEEDS are written by crawler.feeds; none is written by an extension")
