"""Which files does an item name, and what is it told of them? (docs.scrapy.org, "Downloading and processing files")"""

from __future__ import annotations

import hashlib
import logging
import mimetypes
import time
from contextlib import suppress
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any, ClassVar, NoReturn, Self
from urllib.parse import urlparse

from itemadapter import ItemAdapter
from twisted.internet.defer import maybeDeferred
from twisted.python.failure import Failure

from crawler.scrapy.exceptions import IgnoreRequest, NotConfigured
from crawler.scrapy.http import Request
from crawler.scrapy.http.request import NO_CALLBACK
from crawler.scrapy.pipelines.media import FileException, MediaPipeline, _MediaRequestFiltered
from crawler.scrapy.pipelines.stores import FSFilesStore, FTPFilesStore, GCSFilesStore, S3FilesStore
from crawler.scrapy.utils.defer import ensure_awaitable, maybe_deferred_to_future
from crawler.scrapy.utils.request import referer_str

__all__ = ["FSFilesStore", "FTPFilesStore", "FileException", "FilesPipeline", "GCSFilesStore", "S3FilesStore"]

logger = logging.getLogger(__name__)
_DAY = 24 * 3600.0


def _md5sum(file: Any) -> str:
    return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _guid(request: Any) -> str:
    return hashlib.sha1(request.url.encode(), usedforsecurity=False).hexdigest()


class FilesPipeline(MediaPipeline):
    """Fetches the files that an item names in ``file_urls``, and says in ``files`` where they are."""

    MEDIA_NAME: str = "file"
    EXPIRES: int = 90
    STORE_SCHEMES: ClassVar[dict[str, Any]] = {
        **{"": FSFilesStore, "file": FSFilesStore},
        **{"s3": S3FilesStore, "gs": GCSFilesStore, "ftp": FTPFilesStore},
    }
    DEFAULT_FILES_URLS_FIELD = "file_urls"
    DEFAULT_FILES_RESULT_FIELD = "files"
    _prefix = "FILES"

    def __init__(self, store_uri: Any, download_func: None = None, *, crawler: Any) -> None:
        if not store_uri:
            said = f"{self._prefix}_STORE must be a folder or a URL such as s3://bucket/images, not empty"
            raise NotConfigured(f"{said}, for {type(self).__name__} to be used")
        self.store = self._get_store(str(store_uri))
        super().__init__(crawler=crawler)
        self._read_settings("FILES", "FilesPipeline")

    def _read_settings(self, prefix: str, base: str) -> None:
        settings = self.crawler.settings
        for role in ("URLS", "RESULT"):
            name = f"{prefix}_{role}_FIELD"
            if not hasattr(self, name):
                setattr(self, name, getattr(self, f"DEFAULT_{name}"))
            value = settings.get(self._key_for_pipe(name, base, settings), getattr(self, name))
            setattr(self, name.lower(), value)
        self.expires = settings.getint(self._key_for_pipe(f"{prefix}_EXPIRES", base, settings), self.EXPIRES)

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make one by the settings. Raises NotConfigured without a store."""
        cls._update_stores(crawler.settings)
        return cls(crawler.settings[f"{cls._prefix}_STORE"], crawler=crawler)

    @classmethod
    def _update_stores(cls, settings: Any) -> None:
        for scheme, kind in cls.STORE_SCHEMES.items():
            kind.settings, kind.prefix = settings, cls._prefix
            kind.POLICY = settings[f"{cls._prefix}_STORE_{'GCS' if scheme == 'gs' else 'S3'}_ACL"] or None

    def _get_store(self, uri: str) -> Any:
        scheme = "file" if PurePosixPath(uri).is_absolute() else urlparse(uri).scheme
        return self.STORE_SCHEMES[scheme](uri)

    def media_to_download(self, request: Any, info: Any, *, item: Any = None) -> Any:
        """Return what is known of a file that is not older than FILES_EXPIRES, in days."""
        path = self.file_path(request, info=info, item=item)
        return self._known(maybeDeferred(self.store.stat_file, path, info), request, path, info)

    async def _known(self, found: Any, request: Any, path: str, info: Any) -> dict[str, Any] | None:
        try:
            stat = await maybe_deferred_to_future(found)
        except Exception:
            logger.debug("%s.store.stat_file: %s", type(self).__name__, path, exc_info=True)
            return None  # it is fetched
        modified = stat.get("last_modified") if stat else None
        if not modified or time.time() - modified > self.expires * _DAY:
            return None
        self._say(logging.DEBUG, "uptodate", f"Downloaded {self.MEDIA_NAME}", request, info)
        self.inc_stats("uptodate")
        return {"url": request.url, "path": path, "checksum": stat.get("checksum"), "status": "uptodate"}

    def _say(self, level: int, status: str, what: str, request: Any, info: Any, **more: Any) -> None:
        said = f"File ({status}): {what} from {request} referred in <{referer_str(request)}>"
        logger.log(level, "%s", said + more.pop("why", ""), extra={"spider": info.spider}, **more)

    def media_failed(self, failure: Failure, request: Any, info: Any) -> NoReturn:
        """Say that a request failed, and raise FileException."""
        if isinstance(failure.value, IgnoreRequest):
            what, why = f"Not downloading {self.MEDIA_NAME}", f": {failure.value}"
            self._say(logging.DEBUG, "filtered", what, request, info, why=why)
            raise _MediaRequestFiltered(str(failure.value)) from failure.value
        what, why = f"Error downloading {self.MEDIA_NAME}", f": {failure.value}"
        self._say(logging.WARNING, "unknown-error", what, request, info, why=why)
        raise FileException from failure.value

    async def media_downloaded(self, response: Any, request: Any, info: Any, *, item: Any = None) -> dict[str, Any]:
        """Keep a file; return what the item is told of it. Raises FileException."""
        if response.status != 200:
            self._say(logging.WARNING, f"code: {response.status}", "Error downloading file", request, info)
            raise FileException("download-error")
        if not response.body:
            self._say(logging.WARNING, "empty-content", "Empty file", request, info, why=": no-content")
            raise FileException("empty-content")
        status = "cached" if "cached" in response.flags else "downloaded"
        self._say(logging.DEBUG, status, "Downloaded file", request, info)
        self.inc_stats(status)
        try:
            path = self.file_path(request, response=response, info=info, item=item)
            checksum = await ensure_awaitable(self.file_downloaded(response, request, info, item=item))
        except Exception as error:
            of_ours = isinstance(error, FileException)
            level, kind = (logging.WARNING, "error") if of_ours else (logging.ERROR, "unknown-error")
            why = f": {error}" if of_ours else ""
            self._say(level, kind, "Error processing file", request, info, why=why, exc_info=True)
            raise error if of_ours else FileException(str(error)) from error
        return {"url": request.url, "path": path, "checksum": checksum, "status": status}

    def inc_stats(self, status: str) -> None:
        """Count a file."""
        self.crawler.stats.inc_value("file_count")
        self.crawler.stats.inc_value(f"file_status_count/{status}")

    # What a class of one's own may have

    def get_media_requests(self, item: Any, info: Any) -> list[Any]:
        """Return a request for each URL in the item's field. Raises TypeError for a field that is no list."""
        field: str = getattr(self, f"{self._prefix.lower()}_urls_field")
        urls = ItemAdapter(item).get(field, [])
        if not isinstance(urls, list):
            raise TypeError(f"{field} must be a list of URLs, got {type(urls).__name__}. ")
        return [Request(url, callback=NO_CALLBACK) for url in urls]

    def file_downloaded(self, response: Any, request: Any, info: Any, *, item: Any = None) -> Any:
        """Keep the body of a response; return its MD5. It may be a coroutine."""
        return self._file_downloaded(response, request, info, item=item)

    async def _file_downloaded(self, response: Any, request: Any, info: Any, *, item: Any = None) -> str:
        path = self.file_path(request, response=response, info=info, item=item)
        body = BytesIO(response.body)
        checksum = _md5sum(body)
        body.seek(0)
        await ensure_awaitable(self.store.persist_file(path, body, info))
        return checksum

    def item_completed(self, results: list[tuple[bool, Any]], item: Any, info: Any) -> Any:
        """Write into the item's field what is known of the files that were got."""
        with suppress(KeyError):
            field = getattr(self, f"{self._prefix.lower()}_result_field")
            ItemAdapter(item)[field] = [result for good, result in results if good]
        return item

    def file_path(self, request: Any, response: Any = None, info: Any = None, *, item: Any = None) -> str:
        """Return where in the store a file belongs: by the SHA-1 of its URL."""
        suffix = PurePosixPath(urlparse(request.url).path).suffix
        if suffix not in mimetypes.types_map:
            suffix = PurePosixPath(request.url).suffix
        if suffix not in mimetypes.types_map:
            kind = mimetypes.guess_type(request.url)[0]
            suffix = (mimetypes.guess_extension(kind) or "") if kind else ""
        return f"full/{_guid(request)}{suffix}"
