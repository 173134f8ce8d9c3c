"""Where do the files of Scrapy's pipelines lie: in a folder, or elsewhere by crawler.files.remote?

A store of one's own, in STORE_SCHEMES of a FilesPipeline, is a class with ``persist_file`` and ``stat_file``, which may
return Deferreds.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, ClassVar
from urllib.parse import urlparse

from crawler.files.remote import RemoteStore
from crawler.files.stores import Kept, md5_of
from crawler.scrapy.names.layers import FromScrapy
from crawler.scrapy.settings import Settings
from crawler.scrapy.utils.asyncio import run_in_thread
from crawler.scrapy.utils.defer import deferred_from_coro


class FSFilesStore:
    """A folder, by its path or its file: URL."""

    def __init__(self, basedir: Any) -> None:
        self.basedir: str = str(basedir).rpartition("://")[2]
        Path(self.basedir).mkdir(parents=True, exist_ok=True)

    def persist_file(self, path: Any, buf: BytesIO, info: Any, meta: Any = None, headers: Any = None) -> None:
        """Keep a file, whole or not at all. Raises OSError."""
        file = self._get_filesystem_path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=file.parent, prefix=".", delete=False) as aside:
            aside.write(buf.getvalue())
        try:
            Path(aside.name).chmod(0o644)
            Path(aside.name).replace(file)
        except OSError:
            Path(aside.name).unlink()
            raise

    def stat_file(self, path: Any, info: Any) -> dict[str, Any]:
        """Return checksum and last_modified of a file; nothing, if it is not there."""
        file = self._get_filesystem_path(path)
        try:
            return {"last_modified": file.stat().st_mtime, "checksum": md5_of(file)}
        except OSError:
            return {}

    def _get_filesystem_path(self, path: Any) -> Path:
        return Path(self.basedir, *str(path).split("/"))


class S3FilesStore:
    """A place on another machine, by its URL. ``settings`` and ``prefix``, FILES or IMAGES, are the pipeline's."""

    settings: ClassVar[Any] = None
    prefix: ClassVar[str] = "FILES"
    POLICY: ClassVar[str | None] = "private"

    def __init__(self, uri: str) -> None:
        core = FromScrapy.made_of(Settings() if self.settings is None else self.settings).core
        options: dict[str, Any] = {}
        if uri.startswith("s3:") and self.POLICY:
            options = {"s3_additional_kwargs": {"ACL": self.POLICY}}
        if uri.startswith("ftp:") and not urlparse(uri).username and self.settings is not None:
            options = {"username": self.settings["FTP_USER"], "password": self.settings["FTP_PASSWORD"]}
        self._store = RemoteStore(uri, core, options, setting=f"{self.prefix}_STORE")

    def persist_file(self, path: str, buf: BytesIO, info: Any, meta: Any = None, headers: Any = None) -> Any:
        """Keep a file; return a Deferred, which fails with LocalFailure."""
        return deferred_from_coro(run_in_thread(self._keep, path, buf.getvalue()))

    def stat_file(self, path: str, info: Any) -> Any:
        """Return a Deferred of checksum and last_modified of a file, or of nothing."""
        return deferred_from_coro(run_in_thread(self._stat, path))

    def _keep(self, path: str, body: bytes) -> None:
        with NamedTemporaryFile(delete=False) as file:
            file.write(body)
        self._store.keep(Path(file.name), path)

    def _stat(self, path: str) -> dict[str, Any]:
        kept: Kept | None = self._store.find(path)
        return {} if kept is None else {"checksum": kept.checksum, "last_modified": kept.modified}


class GCSFilesStore(S3FilesStore):
    """A bucket of Google Cloud Storage; the bucket's own ACL counts, whatever POLICY says."""


class FTPFilesStore(S3FilesStore):
    """A folder of an FTP server."""
