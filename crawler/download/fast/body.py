"""Where do bodies go that do not stay in memory?"""

from __future__ import annotations

import os
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from crawler.errors import FetchError


class _TemporaryPath(type(Path())):  # type: ignore[misc]  # PosixPath or WindowsPath; as plain as its base, but weakly referable
    """A path whose file goes away with it."""


def _remove(name: str) -> None:
    with suppress(OSError):
        Path(name).unlink()


class BodyFile:
    """A body being written: to a temporary file, or to one the request names.

    A named file appears under its name only when it is complete; until then it is ``NAME.part``.
    """

    __slots__ = ("_file", "_final", "_name")

    def __init__(self, file: BinaryIO, name: str, final: Path | None) -> None:
        self._file = file
        self._name = name
        self._final = final

    @classmethod
    def temporary(cls, folder: str | None = None) -> BodyFile:
        """Make a file (mode 0600) that is removed when nobody holds its path any more."""
        try:
            descriptor, name = tempfile.mkstemp(prefix="crawler-body-", dir=folder)
        except OSError as error:
            raise FetchError(f"no temporary file for the body: {error}") from error
        return cls(os.fdopen(descriptor, "wb"), name, None)

    @classmethod
    def named(cls, path: str | os.PathLike[str]) -> BodyFile:
        """Write to ``path``, replacing what is there at the end."""
        final = Path(path)
        part = final.with_name(final.name + ".part")
        try:
            return cls(part.open("wb"), str(part), final)
        except OSError as error:
            raise FetchError(f"cannot write the body to {final}: {error}", sent=False) from error

    def write(self, data: bytes) -> None:
        """Add to the body; raises FetchError."""
        try:
            self._file.write(data)
        except OSError as error:
            raise FetchError(f"cannot write the body to {self._name}: {error}") from error

    def keep(self) -> Path:
        """Close it and return where it is."""
        try:
            self._file.close()
            if self._final is not None:
                Path(self._name).replace(self._final)
                return self._final
        except OSError as error:
            raise FetchError(f"cannot write the body to {self._final or self._name}: {error}") from error
        path = _TemporaryPath(self._name)
        weakref.finalize(path, _remove, self._name)
        return path

    def discard(self) -> None:
        """Remove what was written."""
        with suppress(OSError):
            self._file.close()
        _remove(self._name)
