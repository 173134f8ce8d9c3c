"""Where do the files of Scrapy's pipelines lie: in a folder, or elsewhere by crawler.files.remote?

A store of one's own, in STORE_SCHEMES of a FilesPipeline, is a class with ``persist_file`` and ``stat_file``, which may
return Deferreds.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, ClassVar
from urllib.parse import urlparse

from crawler.config.schema import CoreSettings
from crawler.files.remote import RemoteStore
from crawler.files.stores import Kept, md5_of
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


class _Elsewhere:
    """A place on another machine; its attributes are settings, laid on the class by ``_update_stores``."""

    scheme: ClassVar[str]

    def __init__(self, uri: str) -> None:
        if not uri.startswith(f"{self.scheme}://"):
            raise ValueError(f"Incorrect URI scheme in {uri}, expected {self.scheme!r}")
        known: dict[str, Any] = {
            name: getattr(self, name, None) for name in CoreSettings.__struct_fields__ if hasattr(self, name)
        }
        self._store = RemoteStore(uri, CoreSettings(**known), self._options(uri), setting="FILES_STORE")

    def _options(self, uri: str) -> Mapping[str, Any]:
        return {}

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


class S3FilesStore(_Elsewhere):
    """A bucket of S3: s3://bucket/folder."""

    scheme = "s3"
    POLICY: ClassVar[str | None] = "private"
    HEADERS: ClassVar[dict[str, str]] = {"Cache-Control": "max-age=172800"}

    def _options(self, uri: str) -> Mapping[str, Any]:
        headers = {name.replace("-", ""): value for name, value in self.HEADERS.items()}
        return {"s3_additional_kwargs": {**({"ACL": self.POLICY} if self.POLICY else {}), **headers}}


class GCSFilesStore(_Elsewhere):
    """A bucket of Google Cloud Storage: gs://bucket/folder."""

    scheme = "gs"
    GCS_PROJECT_ID: ClassVar[str | None] = None
    POLICY: ClassVar[str | None] = None


class FTPFilesStore(_Elsewhere):
    """A folder of an FTP server: ftp://host/folder; user and password may be in it."""

    scheme = "ftp"
    FTP_USERNAME: ClassVar[str | None] = None
    FTP_PASSWORD: ClassVar[str | None] = None
    USE_ACTIVE_MODE: ClassVar[bool | None] = None

    def _options(self, uri: str) -> Mapping[str, Any]:
        parts = urlparse(uri)
        self.host, self.port, self.basedir = parts.hostname, parts.port or 21, parts.path.rstrip("/")
        self.username, self.password = parts.username or self.FTP_USERNAME, parts.password or self.FTP_PASSWORD
        given = {"username": self.username, "password": self.password}
        return {name: value for name, value in given.items() if value}
