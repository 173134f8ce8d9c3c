"""Which file does a feed's name mean?

``-o FILE:FORMAT``, the extensions, and the placeholders of FEEDS (docs.scrapy.org, "Storage URI parameters").
What a placeholder brings in (a spider's name, one of its attributes) is made safe: it never adds a folder,
and where placeholders are used no symbolic link is followed below the folder they begin in.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from crawler.config.nearest import did_you_mean
from crawler.errors import OutputError

COMPRESSED = (".gz", ".zst", ".bz2", ".xz")
STDOUT = frozenset({"-", "stdout:"})
_placeholder = re.compile(r"%%|%\((\w+)\)(0?\d{0,3})([sd])")
_loose = re.compile(r"%\(")
_format = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*")
_unsafe = re.compile(r"[/\\:\x00-\x1f\x7f\ud800-\udfff]")


def parse_output(text: str) -> tuple[str, str | None]:
    """Split what was given to -o or -O into the path and the format, None if the extension tells it.

    Raises OutputError if there is no path.
    """
    path, colon, name = text.rpartition(":")
    if not (colon and path and _format.fullmatch(name)):
        path, name = text, ""
    if not path.strip():
        raise OutputError(f"{text!r} names no output file; write FILE, FILE:FORMAT or - for the standard output")
    return path, name.lower() or None


def format_of(path: str) -> tuple[str, str]:
    """Return the extension that tells the format (no dot, lower case, "" if none) and that of the compression."""
    compression = compression_of(path)
    return Path(path.removesuffix(compression)).suffix[1:].lower(), compression


def compression_of(path: str) -> str:
    """Return one of COMPRESSED, or ""."""
    return next((suffix for suffix in COMPRESSED if path.endswith(suffix)), "")


def instead(name: str, known: Collection[str]) -> str:
    """Return the end of a message on an unknown name: the one that was meant, or all that there are."""
    return did_you_mean(name, known) or f"; there is {', '.join(sorted(known))}"


def is_elsewhere(path: str) -> bool:
    """Tell whether a feed goes to another place than a file: its scheme is none of files."""
    scheme, colon, _ = path.partition("://")
    return bool(colon) and scheme.lower() != "file"


def local_path(feed: str, text: str) -> str:
    """Return the path of a feed given as path or file: URI; raises OutputError for a file on another machine."""
    if "://" not in text:
        return text
    parts = urlsplit(text)
    if parts.netloc not in {"", "localhost"}:
        raise OutputError(
            f"feed {feed!r}: a file: URI names a file here, and has three slashes: file:///{parts.path[1:]}"
        )
    return unquote(parts.path)


def stamp(moment: datetime) -> str:
    """Return a time as %(time)s shows it: ISO 8601 in seconds with - for :, as in Scrapy."""
    return moment.replace(microsecond=0).isoformat().replace(":", "-")


def safe_part(value: str) -> str:
    """Return a value as part of a file name: no separator, no control character, no leading dot."""
    text = _unsafe.sub("_", value)[:200]
    return "_" + text[1:] if text.startswith(".") else text or "_"


Parameters = Callable[[dict[str, Any]], Mapping[str, Any] | None]
"""Given what fills the placeholders, gives what does instead; None: the same (Scrapy's FEED_URI_PARAMS)."""


class Template:
    """A text with placeholders: ``%(name)s %(time)s %(batch_time)s %(batch_id)d`` and the spider's attributes.

    Raises OutputError, also from ``filled``: a placeholder that is unknown, or whose value is not to be had.
    """

    def __init__(self, feed: str, text: str, values: Mapping[str, Any], parameters: Parameters | None = None) -> None:
        self.feed = feed
        self.text = text
        self._values = dict(values)
        self._parameters = parameters
        found = [match for match in _placeholder.finditer(text) if match[1]]
        self.used = frozenset(match[1] for match in found)
        known = [*self._values, "time", "batch_time", "batch_id"]
        for match in found:
            if match[1] not in known and parameters is None:
                raise OutputError(f"feed {feed!r}: unknown placeholder {match[0]}{instead(match[1], known)}")
        if _loose.search(_placeholder.sub("", text)):
            raise OutputError(f"feed {feed!r}: a placeholder is written %(name)s or %(batch_id)d")

    @property
    def numbered(self) -> bool:
        """Whether each batch has a file of its own."""
        return not self.used.isdisjoint({"batch_id", "batch_time"})

    def filled(self, *, time: str, batch_time: str, batch: int) -> str:
        """Return the text of a batch; what a placeholder brings in is no more than a part of a name."""
        values = self._given({**self._values, "time": time, "batch_time": batch_time, "batch_id": batch})

        def value_of(match: re.Match[str]) -> str:
            if not match[1]:
                return "%" if self.used else match[0]
            if match[1] not in values:
                raise OutputError(f"feed {self.feed!r}: unknown placeholder {match[0]}{instead(match[1], [*values])}")
            value = values[match[1]]
            if match[3] == "d" and not isinstance(value, int):
                raise OutputError(f"feed {self.feed!r}: {match[0]} asks for a number, and {value!r} is none")
            try:
                return safe_part(f"{value:{match[2]}d}" if match[3] == "d" else f"{value!s}")
            except BaseException as error:  # an object of the user's own class, which may even leave
                what = f"{match[0]} is a {type(value).__name__}, whose text cannot be had: {type(error).__name__}"
                raise OutputError(f"feed {self.feed!r}: {what}") from error

        return _placeholder.sub(value_of, self.text)

    def _given(self, values: dict[str, Any]) -> Mapping[str, Any]:
        if self._parameters is None:
            return values
        try:
            given = self._parameters(values)
        except Exception as error:
            what = f"the function of its placeholders raised {type(error).__name__}: {error}"
            raise OutputError(f"feed {self.feed!r}: {what}") from error
        if given is None or isinstance(given, Mapping):
            return values if given is None else given
        what = f"the function of its placeholders has to return a dict, or None, and returned {given!r}"
        raise OutputError(f"feed {self.feed!r}: {what}")


class PathTemplate(Template):
    """The path of a file, or of one for each batch."""

    def __init__(self, feed: str, text: str, values: Mapping[str, Any], parameters: Parameters | None = None) -> None:
        super().__init__(feed, local_path(feed, text), values, parameters)
        self._base = Path() if Path(self.text).is_absolute() else Path.cwd()  # which a callback may change
        first = _placeholder.search(self.text)
        before = self.text[: first.start()] if self.used and first else self.text
        self.root = self._base / Path(before + "x").parent
        """The folder that must exist: the one before the first placeholder."""

    def path(self, *, time: str, batch_time: str, batch: int) -> Path:
        """Return the absolute path of a batch. Raises OutputError if it leaves its folder or is too long."""
        path = self._base / self.filled(time=time, batch_time=batch_time, batch=batch)
        if not self.used:
            return Path(os.path.realpath(path))
        root = Path(os.path.realpath(self.root))
        whole = root / path.relative_to(self.root) if path.is_relative_to(self.root) else path.absolute()
        if ".." in whole.parts[len(root.parts) :] or not whole.is_relative_to(root):
            raise OutputError(f"feed {self.feed!r}: the path {path} leaves the folder {self.root}")
        for part in [whole, *whole.parents]:
            if part == root:
                break
            if _is_link(self.feed, part):
                raise OutputError(f"feed {self.feed!r}: {part} is a symbolic link, which a placeholder may not follow")
        return whole


def _is_link(feed: str, path: Path) -> bool:
    try:
        return path.is_symlink()
    except OSError as error:  # a name that is too long
        raise OutputError(f"feed {feed!r}: {error.strerror}: {path}") from error
