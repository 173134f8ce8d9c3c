"""Which plug-ins compress a feed?

Each takes the file that it writes to, and the feed's options; crawler.feeds.postprocessing runs them.
"""

from __future__ import annotations

from bz2 import BZ2File
from gzip import GzipFile
from lzma import LZMAFile
from typing import Any


class GzipPlugin(GzipFile):
    """Options: gzip_compresslevel, gzip_mtime, gzip_filename."""

    def __init__(self, file: Any, feed_options: dict[str, Any]) -> None:
        options = feed_options.get
        super().__init__(options("gzip_filename"), "wb", options("gzip_compresslevel", 9), file, options("gzip_mtime"))


class Bz2Plugin(BZ2File):
    """Option: bz2_compresslevel."""

    def __init__(self, file: Any, feed_options: dict[str, Any]) -> None:
        super().__init__(file, "wb", compresslevel=feed_options.get("bz2_compresslevel", 9))


class LZMAPlugin(LZMAFile):
    """Options: lzma_format, lzma_check, lzma_preset, lzma_filters."""

    def __init__(self, file: Any, feed_options: dict[str, Any]) -> None:
        given = {name: feed_options.get(f"lzma_{name}") for name in ("format", "preset", "filters")}
        super().__init__(file, "wb", check=feed_options.get("lzma_check", -1), **given)
