"""How is the file system of a URL made, by the settings and fsspec's options, and what is special with it?"""

from __future__ import annotations

import ftplib
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from crawler.config.credentials import user_of
from crawler.config.nearest import did_you_mean
from crawler.config.schema import CoreSettings
from crawler.errors import UsageError
from crawler.model.masking import HIDDEN, credentials_in, masked

if TYPE_CHECKING:
    from fsspec.spec import AbstractFileSystem

PATIENCE_SECONDS = 60
"""So long may a server be silent."""

_NEEDED = {
    "s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs", "abfss": "adlfs",
    "sftp": "paramiko", "ssh": "paramiko",
}  # fmt: skip
_OF_THE_EXTRA = frozenset({"s3fs", "paramiko"})
_ATOMIC = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "memory"})
_OURS = frozenset({"file", "local", "http", "https"})  # a path, and what cannot be written to


_TALKATIVE = ("aiobotocore", "botocore", "paramiko", "s3fs", "fsspec")


def _put(fs: AbstractFileSystem, file: str, path: str) -> None:
    fs.put_file(file, path)


def _nothing(fs: AbstractFileSystem, path: str = "") -> None:
    """There is nothing to do."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How a file system is made and used. ``atomic``: a file appears there when it is complete."""

    make: Callable[[], AbstractFileSystem]
    path: str
    atomic: bool
    put: Callable[[AbstractFileSystem, str, str], None] = _put
    check: Callable[[AbstractFileSystem, str], None] = _nothing
    close: Callable[[AbstractFileSystem], None] = _nothing


def opening(url: str, core: CoreSettings, given: Mapping[str, Any]) -> Opening:
    """Return how the file system of a URL is opened. Raises UsageError, and ModuleNotFoundError."""
    scheme = url.partition("://")[0].lower()
    _hush()
    kind = _kind(url, scheme)
    given = {name: value for name, value in given.items() if value != HIDDEN}  # what a job has left out
    if scheme in ("s3", "s3a"):
        return _s3(kind, url, core, given)
    if scheme == "ftp":
        return _ftp(kind, url, core, given)
    if scheme in ("sftp", "ssh"):
        return _sftp(url, given)
    known = {**kind._get_kwargs_from_urls(url), **given}
    if scheme in ("gs", "gcs") and core.GCS_PROJECT_ID is not None:
        known = {"project": core.GCS_PROJECT_ID, **known}
    return Opening(partial(_made, kind, known), kind._strip_protocol(url), scheme in _ATOMIC)


def _hush() -> None:
    """Let the libraries say no more than warnings, unless somebody has asked them for more.

    Where they found the keys is not the crawl's news, and at DEBUG they tell of every header that they sign.
    """
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)


def _kind(url: str, scheme: str) -> Any:
    """Return fsspec's class for a scheme."""
    import fsspec

    if scheme in _OURS or scheme not in fsspec.available_protocols():
        known = ["s3", "gs", "az", "ftp", "sftp"]
        raise UsageError(
            f"{masked(url)!r}: {scheme}:// is no place that files can be sent to"
            + (did_you_mean(scheme, known) or f"; there are {', '.join(known)} and what else fsspec can write to")
        )
    try:
        if scheme in _NEEDED:
            import_module(_NEEDED[scheme])
        return fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        package = _NEEDED.get(scheme)
        if package in _OF_THE_EXTRA:
            raise
        how = f"`pip install {package}`" if package else str(error)
        raise UsageError(f"{masked(url)!r}: {scheme}:// needs a package that is not installed: {how}") from error


def _made(kind: Any, options: Mapping[str, Any]) -> AbstractFileSystem:
    fs: AbstractFileSystem = kind(**{"skip_instance_cache": True, **options})  # the connection of nobody else
    return fs


def _s3(kind: Any, url: str, core: CoreSettings, given: Mapping[str, Any]) -> Opening:
    user, password = user_of(url)
    options: dict[str, Any] = {
        "key": user or core.AWS_ACCESS_KEY_ID,
        "secret": password or core.AWS_SECRET_ACCESS_KEY,
        "token": core.AWS_SESSION_TOKEN,
        "endpoint_url": core.AWS_ENDPOINT_URL,
        "use_listings_cache": False,
        "config_kwargs": {
            "retries": {"total_max_attempts": 2},
            "connect_timeout": 20,
            "read_timeout": PATIENCE_SECONDS,
        },
        "use_ssl": core.AWS_USE_SSL is not False,
        "client_kwargs": {
            name: value
            for name, value in (("region_name", core.AWS_REGION_NAME), ("verify", core.AWS_VERIFY))
            if value is not None
        },
        "s3_additional_kwargs": {"ACL": core.FEED_STORAGE_S3_ACL} if core.FEED_STORAGE_S3_ACL else {},
    }

    def made() -> AbstractFileSystem:
        fs = _made(kind, {**options, **given})
        fs.retries = 1  # whoever sends tries again; two such loops in one another take minutes
        return fs

    path = credentials_in(url)[3]
    return Opening(made, path, True, put=_put_in_pieces, check=_check_bucket, close=_close_session)


def _put_in_pieces(fs: Any, file: str, path: str) -> None:
    """Upload a file of which some 32 MB are in memory at once; s3fs reads ten pieces of 50 MB."""
    fs.put_file(file, path, chunksize=16 << 20, max_concurrency=2)


def _check_bucket(fs: Any, path: str) -> None:
    bucket = path.partition("/")[0]
    try:
        fs.call_s3("head_bucket", Bucket=bucket)
    except FileNotFoundError as error:  # "Not Found" is all it says
        raise FileNotFoundError(f"there is no bucket {bucket!r}") from error


def _close_session(fs: Any) -> None:
    fs.close_session(fs.loop, fs._s3)


def _ftp(kind: Any, url: str, core: CoreSettings, given: Mapping[str, Any]) -> Opening:
    host, port, path = _place(url)
    user, password = user_of(url)
    options = {"host": host, "port": port or 21, "username": user or "anonymous", "timeout": PATIENCE_SECONDS}
    options |= {"password": password or ("" if user else "anonymous@"), **given}

    def connected() -> AbstractFileSystem:
        fs = _made(kind, options)
        fs.ftp.set_pasv(not core.FEED_STORAGE_FTP_ACTIVE)
        return fs

    return Opening(connected, path, False, put=_store_by_ftp, close=lambda fs: fs.ftp.close())


def _store_by_ftp(fs: Any, file: str, path: str) -> None:
    """Store a file with one command, where fsspec uses one for each 64 kB; its folder is made if that fails."""
    try:
        _stor(fs.ftp, file, path)
    except ftplib.error_perm:
        for end in [place for place, letter in enumerate(path) if letter == "/" and place]:
            with suppress(ftplib.error_perm):  # it is there
                fs.ftp.mkd(path[:end])
        _stor(fs.ftp, file, path)


def _stor(ftp: ftplib.FTP, file: str, path: str) -> None:
    with open(file, "rb") as content:  # noqa: PTH123 – a name of a file system, as fsspec has it
        ftp.storbinary(f"STOR {path}", content, blocksize=1 << 16)


def _sftp(url: str, given: Mapping[str, Any]) -> Opening:
    from crawler.remote.sftp import Sftp

    host, port, path = _place(url)
    user, password = user_of(url)
    options = {"host": host, "port": port or 22, "username": user, "password": password, "patience": PATIENCE_SECONDS}
    options = {name: value for name, value in options.items() if value is not None}
    return Opening(partial(_made, Sftp, {**options, **given}), path, False, close=lambda fs: fs.client.close())


def _place(url: str) -> tuple[str, int | None, str]:
    """Return host, port and path of a URL; the path begins with a slash. Raises UsageError."""
    host, slash, path = credentials_in(url)[3].partition("/")
    name, colon, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    if colon and not (port.isascii() and port.isdigit()):
        raise UsageError(f"{masked(url)!r}: the port is a number, not {port!r}")
    return unquote(name if colon else host).strip("[]"), int(port) if colon else None, "/" + path if slash else "/"
