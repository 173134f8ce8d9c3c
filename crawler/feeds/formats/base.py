"""What must a feed's format be able to do?

A format turns items into bytes and knows nothing of files. Its state is plain values, so that a mark can
hold it and another process can go on where this one was killed. A format of your own is a subclass with
``encode`` alone, if its file needs neither head nor trailer; name it in the setting FEED_FORMATS.
"""

from __future__ import annotations

import codecs
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

# The codecs that write a byte order mark each time they are called: the mark is ours, once, and then the plain one.
_WITH_BOM = {
    "utf-16": (codecs.BOM_UTF16_LE, "utf-16-le"),
    "utf-32": (codecs.BOM_UTF32_LE, "utf-32-le"),
    "utf-8-sig": (codecs.BOM_UTF8, "utf-8"),
}


@dataclass(frozen=True, slots=True)
class FormatOptions:
    """What a user may choose about a format. ``names``: field → output name in order, None for all."""

    names: Mapping[str, str] | None = None
    encoding: str = "utf-8"
    indent: int | None = None
    escape_formulas: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The encoding's name for people and declarations."""
        return "utf-8" if self.codec == "utf-8" else codecs.lookup(self.encoding).name

    @property
    def codec(self) -> str:
        """The codec that writes no byte order mark."""
        name = codecs.lookup(self.encoding).name
        return _WITH_BOM.get(name, (b"", name))[1]

    @property
    def bom(self) -> bytes:
        """The bytes the encoding wants at the start of a file."""
        return _WITH_BOM.get(codecs.lookup(self.encoding).name, (b"", ""))[0]


class Format:
    """The base of all formats: items in, bytes out. One object serves one file at a time."""

    extra: frozenset[str] = frozenset()
    """The names of ``item_export_kwargs`` this format understands."""

    text_names: bool = False
    """Whether ``encode`` wants every field name to be text; else dict keys may be of any type."""

    whole: bool = False
    """Whether a file of it is made as a whole: by ``convert``, of the bytes that ``encode`` and ``finish`` returned.

    Such a feed writes one file after the other, each there or not, and nothing is appended to one.
    """

    batch_items: int = 0
    """Items a file where nobody says how many (0: all in one); for ``whole`` alone."""

    head_size: int = 1 << 16
    """How many of an old file's first bytes ``adopt`` wants to see."""

    def __init__(self, options: FormatOptions) -> None:
        self.options = options
        self.codec = options.codec

    def start(self) -> bytes:
        """Begin a new file, forgetting the last one; return its first bytes."""
        self.restore({})
        return self.options.bom

    def encode(self, items: Sequence[dict[str, Any]]) -> bytes:
        """Return the bytes of these items, which ``fits`` has accepted."""
        raise NotImplementedError

    def finish(self) -> bytes:
        """Return the trailer that makes the file valid; the state does not change."""
        return b""

    def state(self) -> dict[str, Any]:
        """Return what ``restore`` needs, in plain values."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state; the empty one is that of a new file."""

    def adopt(self, head: bytes, tail: bytes) -> int:
        """Go on in an existing file, given its first and last bytes (at most ``head_size`` and 64 KiB, decompressed).

        Return how many bytes at its end are a trailer, to be replaced. Raises ValueError with the reason
        (continuing "… cannot be appended to: it ") if the file is not of this format.
        """
        self.restore({})
        return 0

    def learn(self, kinds: Collection[type]) -> None:
        """Be told item classes, before the first item of each is encoded."""

    def check(self) -> None:
        """Raise whatever says that no file can be made: OutputError, ImportError; for ``whole``, before the start."""

    def convert(self, file: Path, made: Path) -> None:
        """Make the file ``made`` of one that ``finish`` has ended, for ``whole``. Any error is tried again."""
        raise NotImplementedError

    def fits(self, items: Sequence[dict[str, Any]]) -> bool:
        """Tell whether the items can be written behind what the file holds already."""
        return True

    def rewrite(self, source: BinaryIO, items: Sequence[dict[str, Any]]) -> Iterator[bytes]:
        """Yield the file anew, so that the items fit behind it. Asked for only if ``fits`` said no."""
        raise NotImplementedError
