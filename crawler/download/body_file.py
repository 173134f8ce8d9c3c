"""Where do bodies go that do not stay in memory?

Into files that have no name while they are written (O_TMPFILE, or unlinked at once), so that nothing is left
of them when the process is killed. A temporary one never gets a name: it is read by its place in /proc. One
that a request names gets its name when it is complete. Where a system has no /proc or a disk no nameless
files, they have a name of their own meanwhile.
"""

from __future__ import annotations

import errno
import os
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import IO
from uuid import uuid4

from crawler.errors import FetchError, LocalFailure

_BY_DESCRIPTOR = Path("/proc/self/fd")
# These are the machine's, whatever name is written to: the next request would meet them too.
_LOCAL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE))


class _TemporaryPath(type(Path())):  # type: ignore[misc]  # PosixPath or WindowsPath; as plain as its base, but weakly referable
    """A path whose file goes away with it."""


def _remove(name: str) -> None:
    with suppress(OSError):
        Path(name).unlink()


class BodyFile:
    """A body being written. ``name``: what it is called meanwhile, None without one; ``final``: what it will be."""

    __slots__ = ("_file", "_final", "_name")

    def __init__(self, file: IO[bytes], name: str | None, final: Path | None) -> None:
        self._file = file
        self._name = name
        self._final = final

    @classmethod
    def temporary(cls, folder: str | None = None) -> BodyFile:
        """Make a file that goes away when nobody holds its path any more; raises LocalFailure."""
        try:
            if _BY_DESCRIPTOR.is_dir():
                return cls(tempfile.TemporaryFile(dir=folder), None, None)
            descriptor, name = tempfile.mkstemp(prefix="crawler-body-", dir=folder)
            return cls(os.fdopen(descriptor, "wb"), name, None)
        except OSError as error:
            raise LocalFailure(f"no temporary file for a body can be made: {_said(error)} (TMPDIR)") from error

    @classmethod
    def named(cls, path: str | os.PathLike[str]) -> BodyFile:
        """Write what will be at ``path``, replacing what is there at the end; missing folders are made.

        Raises FetchError, and LocalFailure if it is not the name that is at fault.
        """
        final = Path(path).absolute()
        try:
            if final.is_dir():
                raise IsADirectoryError(errno.EISDIR, "it is a folder")
            final.parent.mkdir(parents=True, exist_ok=True)
            return cls(*_begun(final), final)
        except (OSError, ValueError) as error:
            raise _failure(error, final, sent=False) from error

    def write(self, data: bytes) -> None:
        """Add to the body; raises FetchError."""
        try:
            self._file.write(data)
        except OSError as error:
            raise _failure(error, self._final) from error

    def keep(self) -> Path:
        """Close it and return where it is; raises FetchError."""
        try:
            self._file.flush()
            if self._final is None:
                return self._temporary_path()
            if self._name is None:
                self._name = _part(self._final)
                place = f"{_BY_DESCRIPTOR}/{self._file.fileno()}"
                # Only with a folder's descriptor does os.link follow the link; an absolute path does not use it.
                os.link(place, self._name, src_dir_fd=self._file.fileno(), follow_symlinks=True)
            self._file.close()
            Path(self._name).replace(self._final)
        except (OSError, ValueError) as error:
            self.discard()
            raise _failure(error, self._final) from error
        return self._final

    def _temporary_path(self) -> Path:
        if self._name is None:
            place = _TemporaryPath(f"/proc/{os.getpid()}/fd/{self._file.fileno()}")  # to be read by other programs too
            weakref.finalize(place, self._file.close)
            return place
        self._file.close()
        path = _TemporaryPath(self._name)
        weakref.finalize(path, _remove, self._name)
        return path

    def discard(self) -> None:
        """Remove what was written."""
        with suppress(OSError):
            self._file.close()
        if self._name is not None:
            _remove(self._name)


def _begun(final: Path) -> tuple[IO[bytes], str | None]:
    """Return a file on the disk of ``final``, and its name if it has to have one."""
    nameless = getattr(os, "O_TMPFILE", 0)
    if nameless and _BY_DESCRIPTOR.is_dir():
        try:
            return os.fdopen(os.open(final.parent, os.O_RDWR | os.O_CLOEXEC | nameless, 0o666), "wb"), None
        except OSError as error:
            # The last two are said by kernels that do not know the flag.
            if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT):
                raise
    name = _part(final)
    return Path(name).open("xb"), name


def _part(final: Path) -> str:
    """Return a name beside ``final`` that nobody else has: two requests may be for one file."""
    return str(final.with_name(f".{uuid4().hex}.part"))


def _said(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _failure(error: Exception, final: Path | None, *, sent: bool = True) -> FetchError:
    where = "a temporary file (TMPDIR)" if final is None else str(final)
    local = final is None or (isinstance(error, OSError) and error.errno in _LOCAL)
    return (LocalFailure if local else FetchError)(f"cannot write the body to {where}: {_said(error)}", sent=sent)
