"""What of a page must be put right so that libxml2 reads all of it?

libxml2 ends a document at its first ``</html>`` and puts what follows ``</body>`` outside of the body; a browser
goes on where it was, as if these tags were not there (HTML §13.2.6.4.19 and 13.2.6.4.22). And it takes ``<html/>``
for the whole page. So those tags go, but where they are text: in scripts, comments, values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# A value in quotes may hold ">". Possessive, so that no page makes them go back.
_ATTRIBUTES = rb"""(?:[^>=]++|=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^\s>]*+))*+"""
_TAG = re.compile(
    rb"<!--(?:-?>|.*?(?:--!?>|\Z))|<[!?][^>]*+|</[^a-zA-Z>][^>]*+"
    rb"|<(?P<end>/?)(?P<name>[a-zA-Z][^\s/>]*+)" + _ATTRIBUTES + rb"(?:>|\Z)",
    re.DOTALL,
)
_FRAME = frozenset({b"html", b"head", b"body"})
_NO_ELEMENT = b"</end-of-nothing>"  # libxml2 passes over the end of what is not open
_TEXT = frozenset(b"script style textarea title xmp iframe noembed noframes plaintext".split())
_SCRIPT = re.compile(rb"<!--|-->|<(/?)script(?=[\s/>])", re.IGNORECASE)
_END_OF_TEXT = re.compile(rb"</(style|textarea|title|xmp|iframe|noembed|noframes)(?=[\s/>])", re.IGNORECASE)


def mended(page: bytes) -> bytes:
    """Return a page (in UTF-8) as libxml2 reads all of it; the same object if nothing of it is to be changed."""
    parts: list[bytes] = []
    kept = 0
    for tag in tags(page):
        name = (tag["name"] or b"").lower()
        if tag["end"]:
            # Without a tag, "<</html>a" would begin an element.
            instead = _NO_ELEMENT if name in (b"html", b"body") else None
        else:
            instead = tag[0][:-2] + b">" if name in _FRAME and tag[0].endswith(b"/>") else None
        if instead is not None:
            parts += page[kept : tag.start()], instead
            kept = tag.end()
    return b"".join([*parts, page[kept:]]) if parts else page


def tags(page: bytes) -> Iterator[re.Match[bytes]]:
    """Yield the tags ("end" is "/" for end tags, "name") and comments (no name) that libxml2 sees, in linear time."""
    at = 0
    while (tag := _TAG.search(page, at)) is not None:
        yield tag
        at = tag.end()
        name = (tag["name"] or b"").lower()
        if tag["end"] or name not in _TEXT or _closes_itself(tag[0]):
            continue
        if name == b"plaintext":
            return
        if name == b"script":
            at = _end_of_script(page, at)
        else:
            ends = _END_OF_TEXT.finditer(page, at)
            at = next((end.start() for end in ends if end[1].lower() == name), len(page))


def _closes_itself(tag: bytes) -> bool:
    """Tell whether a tag ends in "/>", not counting a slash that is part of a value."""
    _, equals, value = tag[-1000:].split()[-1].partition(b"=")
    return tag.endswith(b"/>") and (not equals or value.startswith((b'"', b"'")))


def _end_of_script(page: bytes, at: int) -> int:
    """Return where a script ends: within ``<!--``, a ``<script>`` takes the next end tag (HTML §13.2.5.15 to 33)."""
    escaped = doubly = False
    for found in _SCRIPT.finditer(page, at):
        if found[0] == b"<!--":
            escaped = True
        elif found[0] == b"-->":
            escaped = doubly = False
        elif not found[1]:
            doubly = escaped
        elif doubly:
            doubly = False
        else:
            return found.start()
    return len(page)
