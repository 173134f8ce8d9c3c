"""Where is the place that a URL names, and how is a file put there whole or not at all?

fsspec (extra ``remote``) has one face for all of them. What is put into an object store appears when it is complete;
elsewhere a file is sent under another name, in the same folder, and renamed.
"""

from __future__ import annotations

import ftplib
import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawler.config.credentials import with_password
from crawler.config.schema import CoreSettings
from crawler.model.masking import masked
from crawler.remote.options import Opening, opening

if TYPE_CHECKING:
    from fsspec.spec import AbstractFileSystem

_LASTING = (PermissionError, FileNotFoundError, IsADirectoryError, NotADirectoryError, ftplib.error_perm)
_LASTING_NAMES = frozenset(
    {"NoCredentialsError", "PartialCredentialsError", "AuthenticationException", "BadHostKeyException", "UnknownHost"}
)


class SendError(OSError):
    """A file did not get there, or from there. ``lasting``: trying again will not help."""

    def __init__(self, error: BaseException) -> None:
        said = re.sub(r"^\[Errno \w+\] ", "", masked(str(error)).strip()) or repr(error)
        super().__init__(said if isinstance(error, OSError) else f"{type(error).__name__}: {said}")
        self.lasting = isinstance(error, _LASTING) or type(error).__name__ in _LASTING_NAMES


class Remote:
    """A place for files. Connects when it has to; methods block, and are for one thread at a time."""

    def __init__(self, url: str, opened: Opening) -> None:
        self.shown = masked(url)
        self.path = opened.path
        """Of the URL, as the methods and the file system take it."""
        self._opening = opened
        self._fs: AbstractFileSystem | None = None

    def __repr__(self) -> str:
        return f"<Remote {self.shown}>"

    @property
    def fs(self) -> AbstractFileSystem:
        """The file system, connected. Raises what it does if it cannot connect: nothing of fsspec's is translated."""
        if self._fs is None:
            self._fs = self._opening.make()
        return self._fs

    def check(self) -> None:
        """Raise SendError if nothing can be put there, as far as that can be known without trying."""
        with suppress(PermissionError):  # rights to write alone are enough, and do not show
            self._told(lambda: self._opening.check(self.fs, self.path))

    def send(self, file: Path, path: str | None = None) -> None:
        """Put a file there, or at another path, in place of what is there. Raises SendError."""
        self._told(lambda: self._send(file, self.path if path is None else path))

    def fetch(self, file: Path) -> bool:
        """Copy what is there into a file, and return True; False if nothing is there. Raises SendError."""
        there: list[bool] = []
        self._told(lambda: there.append(self._fetch(file)))
        return there[0]

    def close(self) -> None:
        """Disconnect; the next call connects again."""
        fs, self._fs = self._fs, None
        if fs is not None:
            with suppress(Exception):  # it may be broken already
                self._opening.close(fs)

    def _send(self, file: Path, path: str) -> None:
        if self._opening.atomic:
            self._opening.put(self.fs, str(file), path)
            return
        # By this name another attempt, also of another process, replaces what was sent before.
        mark = hashlib.blake2b(str(file.absolute()).encode(), digest_size=4).hexdigest()
        folder, slash, name = path.rpartition("/")
        aside = f"{folder}{slash}.{name}.{mark}.part"
        self._opening.put(self.fs, str(file), aside)
        self.fs.mv(aside, path)

    def _fetch(self, file: Path) -> bool:
        if not self.fs.exists(self.path):
            return False
        self.fs.get_file(self.path, str(file))
        return True

    def _told(self, call: Callable[[], None]) -> None:
        try:
            call()
        except PermissionError as error:
            self.close()
            raise _NoRights(error) from error
        except Exception as error:  # each library has its own
            self.close()
            raise SendError(error) from error


class _NoRights(SendError, PermissionError):
    """There is no right to do it."""


def open_remote(url: str, core: CoreSettings, storage_options: Mapping[str, Any] | None = None) -> Remote:
    """Return the place that a URL names; ``storage_options`` are fsspec's, for its scheme. Does not connect.

    Raises UsageError for a scheme that is not known or whose library is not there, and for a missing password;
    ModuleNotFoundError for a library of the extra ``remote``.
    """
    whole = with_password(url, core)
    return Remote(url, opening(whole, core, storage_options or {}))
