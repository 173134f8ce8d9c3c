"""Which plug-ins compress a feed?

Each takes the file that it writes to, and the feed's options; crawler.feeds.postprocessing runs them.
"""

from __future__ import annotations

from bz2 import BZ2File
from gzip import GzipFile
from lzma import LZMAFile
from typing import Any

from crawler.scrapy.utils.misc import load_object


class _Compressing:
    def __init__(self, file: Any, feed_options: dict[str, Any]) -> None:
        self.file = file
        self.feed_options = feed_options
        self._made = self._make(file, feed_options.get)

    def _make(self, file: Any, option: Any) -> Any:
        raise NotImplementedError

    def write(self, data: bytes) -> int:
        """Compress bytes; return how many they were."""
        return int(self._made.write(data))

    def close(self) -> None:
        """Write what is left."""
        self._made.close()


class GzipPlugin(_Compressing):
    """Options: gzip_compresslevel, gzip_mtime, gzip_filename."""

    def _make(self, file: Any, option: Any) -> Any:
        level = option("gzip_compresslevel", 9)
        return GzipFile(option("gzip_filename"), "wb", level, file, option("gzip_mtime"))


class Bz2Plugin(_Compressing):
    """Option: bz2_compresslevel."""

    def _make(self, file: Any, option: Any) -> Any:
        return BZ2File(file, "wb", compresslevel=option("bz2_compresslevel", 9))


class LZMAPlugin(_Compressing):
    """Options: lzma_format, lzma_check, lzma_preset, lzma_filters."""

    def _make(self, file: Any, option: Any) -> Any:
        given = {name: option(f"lzma_{name}") for name in ("format", "preset", "filters")}
        return LZMAFile(file, "wb", check=option("lzma_check", -1), **given)


class PostProcessingManager:
    """A file whose bytes go through plug-ins."""

    def __init__(self, plugins: list[Any], file: Any, feed_options: dict[str, Any]) -> None:
        self.plugins = [load_object(plugin) for plugin in plugins]
        self.file = file
        self.feed_options = feed_options
        self.head_plugin = file
        for plugin in reversed(self.plugins):
            self.head_plugin = plugin(self.head_plugin, feed_options)

    def write(self, data: bytes) -> int:
        """Give bytes to the first plug-in."""
        return int(self.head_plugin.write(data))

    def tell(self) -> int:
        """Return how far the file is written."""
        return int(self.file.tell())

    def close(self) -> None:
        """Close the first plug-in, and the others with it."""
        self.head_plugin.close()

    def writable(self) -> bool:
        """True."""
        return True
