"""How does a file go through the plug-ins of a feed's ``postprocessing`` before it is stored?

Their shape is Scrapy's (docs.scrapy.org, "Post-Processing"): ``Class(file, feed_options)``, where ``file`` is what the
plug-in writes to, with ``write(data)`` and ``close()``. The first one is given the feed's bytes, the last one writes
the file. What a plug-in has written cannot be taken back, as a mark would have it, so they are given whole files.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crawler.feeds.storage import Storage

_CHUNK = 1 << 18


class Processed:
    """A storage that stores what the plug-ins make of a file. See Storage."""

    def __init__(self, storage: Storage, plugins: Sequence[Any], options: Mapping[str, Any]) -> None:
        self._storage = storage
        self._plugins = plugins
        self._options = options

    def check(self, url: str) -> None:
        """See Storage."""
        check = getattr(self._storage, "check", None)
        if check is not None:
            check(url)

    def store(self, file: Path, url: str) -> None:
        """See Storage."""
        made = file.with_name(f"{file.name}.processed")
        try:
            with file.open("rb") as source, made.open("wb") as target:
                self._run(source, target)
            self._storage.store(made, url)
        finally:
            made.unlink(missing_ok=True)

    def _run(self, source: io.BufferedReader, target: io.BufferedWriter) -> None:
        stages: list[Any] = [_Target(target)]
        for plugin in reversed(self._plugins):
            stages.insert(0, _Target(plugin(stages[0], dict(self._options))))
        while data := source.read(_CHUNK):
            stages[0].write(data)
        for stage in stages[:-1]:
            stage.close()


class _Target(io.RawIOBase):
    """What a plug-in writes to: the next one, or the file. It is closed once, by the plug-in before it or by us."""

    def __init__(self, beneath: Any) -> None:
        self._beneath = beneath
        self._is_file = isinstance(beneath, io.BufferedWriter)

    def writable(self) -> bool:
        """See io.IOBase."""
        return True

    def tell(self) -> int:
        """See io.IOBase; of the file alone."""
        return int(self._beneath.tell())

    def write(self, data: Any, /) -> int:
        """Hand the bytes on, all of them."""
        self._beneath.write(data)
        return len(data)

    def close(self) -> None:
        """Close the plug-in; the file is closed by who opened it."""
        if not self.closed and not self._is_file:
            self._beneath.close()
        super().close()
