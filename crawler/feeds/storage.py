"""How does a whole file get to where a feed goes, if that is no file beside the crawl?

A storage of your own is a class with ``store``; name it in the setting FEED_STORAGES.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from crawler.feeds.outfile import sync_folder

if TYPE_CHECKING:
    from crawler.config.schema import CoreSettings
    from crawler.remote import Remote

T = TypeVar("T")


class Storage(Protocol):
    """Where the files of a feed go. The methods block; they are called in the feed's thread, ``check`` in the main one.

    It may have ``check(url)``, which raises whatever says that nothing can be stored there; it runs before the start.
    One that has ``fetch(url, file)`` can be appended to: that copies what is there into the file, and returns False if
    nothing is.
    """

    def store(self, file: Path, url: str) -> None:
        """Put the file there in place of what is there: whole or not at all, and again without harm.

        Whatever it raises is tried again a few times, but for an error with a true ``lasting``.
        """


class Elsewhere:
    """Places that fsspec knows (extra ``remote``). See Storage."""

    def __init__(self, core: CoreSettings, options: Mapping[str, Any]) -> None:
        self._core = core
        self._options = options

    def check(self, url: str) -> None:
        """Raise UsageError or SendError if nothing can be stored there, as far as can be known."""
        self._with(url, lambda remote: remote.check())

    def store(self, file: Path, url: str) -> None:
        """See Storage."""
        self._with(url, lambda remote: remote.send(file))

    def fetch(self, url: str, file: Path) -> bool:
        """See Storage."""
        return self._with(url, lambda remote: remote.fetch(file))

    def _with(self, url: str, call: Callable[[Remote], T]) -> T:
        """Make a call. A connection that was idle since the last one may be dead: each has its own."""
        from crawler.remote import open_remote

        remote = open_remote(url, self._core, self._options)
        try:
            return call(remote)
        finally:
            remote.close()


class Here:
    """Files of this machine, by their absolute paths. See Storage."""

    def store(self, file: Path, url: str) -> None:
        """See Storage. The copy takes its name when it is on the disk."""
        path = Path(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name[:100]}.part")
        try:
            shutil.copyfile(file, aside)
            with aside.open("rb") as copy:
                os.fsync(copy.fileno())
            aside.replace(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        sync_folder(path)
