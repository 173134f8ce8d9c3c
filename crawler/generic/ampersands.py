"""Which ``&`` and ``<`` of a document begin nothing that XML knows, and are just that?

They are common in sitemaps and feeds. libxml2 cuts an ``&`` out, with some of what follows, so that another URL is
left, and gives the rest of a document up at a ``<``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_MARK = re.compile(
    rb"<!\[CDATA\[|<!--|<\?|<(?![A-Z_:/!?\x80-\xff])|&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-f]{1,6});)",
    re.IGNORECASE,
).search
_MEANT = {b"&": b"&amp;", b"<": b"&lt;"}
_ENDS = {b"<![CDATA[": b"]]>", b"<!--": b"-->", b"<?": b"?>"}
"""Where an ``&`` is as good as any other character, and what ends that."""

_LONGEST = 12  # no mark and no reference is longer


def with_ampersands(source: Iterable[bytes]) -> Iterator[bytes]:
    """Yield an XML document, in UTF-8, with ``&amp;`` and ``&lt;`` for each ``&`` and ``<`` that is meant as one."""
    rest = end = b""
    for piece in source:
        text = rest + piece
        rest, end, parts = _read(text, end, len(text) - _LONGEST)
        yield b"".join(parts)
    rest, end, parts = _read(rest, end, len(rest))
    yield b"".join([*parts, rest])


def _read(text: bytes, end: bytes, sure: int) -> tuple[bytes, bytes, list[bytes]]:
    """Return what is left for the next piece, what ends the section that it is in, and the text up to there.

    What begins a mark at ``sure`` or later may go on in the next piece.
    """
    parts: list[bytes] = []
    at = 0
    while True:
        if end:
            found = text.find(end, at)
            if found < 0:
                stop = max(at, len(text) - len(end) + 1)
                return text[stop:], end, [*parts, text[at:stop]]
            parts.append(text[at : found + len(end)])
            at = found + len(end)
        mark = _MARK(text, at)
        stop = len(text) if mark is None else mark.start()
        if mark is None or (stop >= sure and mark[0] in _MEANT):
            begun = max(text.rfind(b"&", max(at, sure), stop), text.rfind(b"<", max(at, sure), stop))
            stop = stop if begun < 0 else begun
            return text[stop:], b"", [*parts, text[at:stop]]
        parts += text[at:stop], _MEANT.get(mark[0], mark[0])
        at = mark.end()
        end = _ENDS.get(mark[0].upper(), b"")
