"""How are files kept on another machine, in a bucket for example?

They come in on a disk of this one. What is uploaded appears there when it is complete. Each thread has a connection of
its own: not every protocol lets several share one.
"""

from __future__ import annotations

import ftplib
import logging
import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from hashlib import md5
from pathlib import Path
from threading import local
from typing import Any, TypeVar

from crawler.config.schema import CoreSettings
from crawler.errors import LocalFailure, SettingError
from crawler.files.stores import PROBE, Kept, md5_of, prepare
from crawler.remote import Remote, SendError, open_remote

logger = logging.getLogger(__name__)

T = TypeVar("T")

WAITS = (1.0, 4.0, 15.0)
"""Seconds before each further try, when a server does not take a file."""

_BLOCK = 1 << 20
_MD5 = re.compile(r'"?([0-9a-f]{32})"?').fullmatch
_WRITTEN = ("LastModified", "last_modified", "updated", "mtime", "modify", "created")
"""What file systems call the time at which a file was written, the best first."""


class RemoteStore:
    """A Store at a URL, with fsspec's ``options`` for it. ``setting`` names it in errors."""

    threads = 8  # what takes long is the way there

    def __init__(self, url: str, core: CoreSettings, options: Mapping[str, Any], *, setting: str) -> None:
        self._open = partial(open_remote, url, core, options)
        self._setting = setting
        self._root = self._open().path.rstrip("/")
        self._of_thread = local()
        self._opened: list[Remote] = []
        self.incoming = Path(core.JOB_DIR).absolute() / "incoming"

    def __repr__(self) -> str:
        return f"<RemoteStore {self._remote.shown}>"

    @property
    def _remote(self) -> Remote:
        remote: Remote | None = getattr(self._of_thread, "remote", None)
        if remote is None:
            remote = self._of_thread.remote = self._open()
            self._opened.append(remote)
        return remote

    def check(self) -> set[str]:
        """Put a small file there and remove it; return what lies in ``incoming``. Raises SettingError."""
        there = prepare(self.incoming, setting="JOB_DIR")
        probe = self.incoming / f"{PROBE}.{os.getpid()}"
        probe.write_bytes(b"x")
        try:
            self._remote.check()
            self._remote.send(probe, f"{self._root}/{PROBE}")
        except SendError as error:
            said = f"no file can be written to {self._remote.shown}: {error}"
            self.close()
            raise SettingError(f"{self._setting}: {said}") from error
        finally:
            probe.unlink()
        with suppress(Exception):  # rights to write alone are enough
            self._remote.fs.rm_file(f"{self._root}/{PROBE}")
        return there

    def find(self, path: str) -> Kept | None:
        """Return the file of this path; of one that ends in "/" the file in that folder; None: there is none."""
        return self._tried(path, partial(self._find, path))

    def _find(self, path: str) -> Kept | None:
        fs, place = self._remote.fs, f"{self._root}/{path}"
        fs.invalidate_cache()  # other workers write, too
        try:
            found = _info(fs, place) if not path.endswith("/") else next(iter(fs.ls(place.rstrip("/"), detail=True)))
        except (FileNotFoundError, NotADirectoryError, StopIteration, PermissionError):
            return None  # a bucket that may not be listed says the last of what is not there
        name = str(found["name"])
        path = f"{path}{name.rpartition('/')[2]}" if path.endswith("/") else path
        return Kept(path, _md5(fs, found), _written(found))

    def keep(self, file: Path, path: str) -> str:
        """Upload the file and remove it here; return its MD5. Raises LocalFailure if it is not taken, also later."""
        checksum = md5_of(file)
        self._tried(path, lambda: self._remote.send(file, f"{self._root}/{path}"))
        file.unlink()
        return checksum

    def _tried(self, path: str, call: Callable[[], T]) -> T:
        for wait in (*WAITS, None):
            try:
                return call()
            except Exception as error:  # each library has its own
                refused = error if isinstance(error, SendError) else SendError(error)
                if wait is None or refused.lasting:
                    raise LocalFailure(f"{self._setting}: {path} at {self._remote.shown}: {refused}") from error
                logger.info("%s: %s: %s; again in %g s", self._setting, self._remote.shown, refused, wait)
                self._remote.close()
                time.sleep(wait)
        raise AssertionError("the last try returns or raises")

    def close(self) -> None:
        """Disconnect all threads."""
        while self._opened:
            self._opened.pop().close()


def _info(fs: Any, place: str) -> Mapping[str, Any]:
    """Return what a file system says of a file. Raises FileNotFoundError."""
    if not isinstance(ftp := getattr(fs, "ftp", None), ftplib.FTP):
        return dict(fs.info(place))
    try:  # fsspec lists the whole folder for one file of it
        return {"name": place, "modify": ftp.sendcmd(f"MDTM {place}").rpartition(" ")[2]}  # RFC 3659 §3
    except ftplib.error_perm as error:
        raise FileNotFoundError(place) from error


def _md5(fs: Any, found: Mapping[str, Any]) -> str:
    """Return the MD5 of a file there: what it was stored with, if that is one, or else of its bytes."""
    stated = _MD5(str(found.get("ETag", "")))
    if stated is not None and not found.get("ServerSideEncryption"):
        return str(stated[1])
    digest = md5(usedforsecurity=False)
    with fs.open(found["name"], "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _written(found: Mapping[str, Any]) -> float:
    """Return when a file was written (seconds since the epoch); now, if its file system does not say."""
    said = next((found[name] for name in _WRITTEN if found.get(name)), None)
    if isinstance(said, int | float):
        return float(said)
    if isinstance(said, str):
        try:  # ftp: "20261128183000", others: ISO 8601
            said = datetime.fromisoformat(f"{said[:8]}T{said[8:14]}" if said[:14].isdigit() else said)
        except ValueError:
            said = None
    if isinstance(said, datetime):
        return (said if said.tzinfo else said.replace(tzinfo=UTC)).timestamp()
    return time.time()
