"""How is XML from the network read element by element, however hostile it is?

libxml2 parses it in pieces and loads nothing: no external entity, no DTD, no XInclude. Entities are not
expanded, and a document that declares any is refused. What has been read is thrown away, so memory does
not grow with the document; every dimension that could has a bound (libxml2's own bounds on depth, names
and text stay on).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from lxml import etree

from crawler.generic.ampersands import with_ampersands
from crawler.model.codecs import Decoder
from crawler.model.content import encoding_of

PIECE = 65_536
_TAKEN = 8192
_HEAD = 4096  # what an encoding is guessed from, at least

SILENCE = 2_097_152
"""Most bytes in which no element comes that is looked at: there the tree grows, or a DTD or an attribute does."""

ELEMENT_SIZE = 100_000
"""Most elements inside one wanted element."""

UNCLOSED = 256
"""Most "<" without a ">". At each libxml2 looks ahead for one through all that it was given: many take the square of
their number."""

GZIP = b"\x1f\x8b"

Wanted = Callable[["etree._Element"], bool]


class BadMarkup(ValueError):
    """The document is not what it should be; the message says in which way."""


def pieces(body: bytes, limit: int) -> Iterator[bytes]:
    """Yield a body in pieces, gunzipped if it is gzip; raises BadMarkup above ``limit`` bytes (0: no limit).

    A gzip stream that ends early yields what is there.
    """
    size = 0
    slices = (body[start : start + PIECE] for start in range(0, len(body), PIECE))
    for piece in _gunzipped(body) if body.startswith(GZIP) else slices:
        size += len(piece)
        if limit and size > limit:
            raise BadMarkup(f"it is larger than {limit} bytes")
        yield piece


def _gunzipped(body: bytes) -> Iterator[bytes]:
    # What follows the last member is ignored, as browsers do.
    position = 0
    while body.startswith(GZIP, position):
        member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        while not member.eof:
            # Small, for what follows a member is copied: a body may be a million empty members.
            if not (rest := body[position : position + _TAKEN]):
                return
            position += len(rest)
            while rest and not member.eof:
                try:
                    piece = member.decompress(rest, PIECE)
                except zlib.error as error:
                    raise BadMarkup(f"it is not valid gzip: {error}") from error
                if piece:
                    yield piece
                rest = member.unconsumed_tail
        position -= len(member.unused_data)


def as_utf8(
    source: Iterable[bytes], encoding: str | None, content_type: str | None, *, kind: str = "xml"
) -> Iterator[bytes]:
    """Yield a document in UTF-8, by the encoding or what Content-Type or the document say it is in (RFC 7303 §3)."""
    rest = iter(source)
    taken: list[bytes] = []
    size = 0
    while size < _HEAD and (piece := next(rest, None)) is not None:
        taken.append(piece)
        size += len(piece)
    decoder = Decoder(encoding or encoding_of(b"".join(taken), content_type, kind=kind))
    begun = False
    for piece in chain(taken, rest):
        text = decoder.decode(piece)
        if not begun:
            text = text.lstrip("\ufeff\t\n\r ")  # libxml2 takes nothing before <?xml
            begun = text != ""
        yield text.encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


class Document:
    """A document that is being read. ``elements(wanted)`` may be called once.

    ``names``: the local names of the elements to look at, the root among them; None for all. ``most`` bounds
    the number of those. ``encoding`` is that of the source, if it is known; else ``content_type``, then the document
    say it. ``problem`` says at the end what was wrong with the document, though it could be read.
    """

    def __init__(
        self,
        source: Iterable[bytes],
        *,
        names: Iterable[str] | None = None,
        most: int = 1 << 62,
        encoding: str | None = None,
        content_type: str | None = None,
    ) -> None:
        self.problem = ""
        self._source = with_ampersands(as_utf8(source, encoding, content_type))
        self._parser = etree.XMLPullParser(
            events=("start", "end"),
            tag=None if names is None else [f"{{*}}{name}" for name in names],
            encoding="utf-8",
            recover=True,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        self._most = most
        self._begun = False
        self._unclosed = 0
        self._events = self._read()
        self._root = next((element for _, element in self._events), None)

    @property
    def root_name(self) -> str:
        """The local name of the root, "" if it is none of the names."""
        return "" if self._root is None or self._root.getparent() is not None else local_name(self._root)

    def elements(self, wanted: Wanted) -> Iterator[etree._Element]:
        """Yield each complete element that is wanted and lies in no other one. Raises BadMarkup.

        ``wanted`` is asked when an element begins. An element is emptied when the next one is asked for.
        """
        if self._root is None:
            return
        current = self._root if wanted(self._root) else None
        inside = count = 0
        for event, element in self._events:
            if event == "start":
                count += 1
                inside += 1
                if current is None and wanted(element):
                    current, inside = element, 0
                if count > self._most:
                    raise BadMarkup(f"it has more than {self._most} elements")
                if inside > ELEMENT_SIZE and current is not None:
                    raise BadMarkup(f"one <{local_name(current)}> has more than {ELEMENT_SIZE} elements")
                continue
            if element is current:
                yield element
                current = None
            if current is None:
                _forget(element)

    def _read(self) -> Iterator[tuple[str, etree._Element]]:
        size = heard = 0
        for piece in self._source:
            self._feed(piece)
            size += len(piece)
            for event in self._fresh():
                heard = size
                yield event
            if size - heard > SILENCE:
                raise BadMarkup(f"nothing that is looked for comes within {SILENCE} bytes")
        self._finish()

    def _fresh(self) -> Iterator[tuple[str, etree._Element]]:
        for event, element in self._parser.read_events():
            if not self._begun:
                self._begun = True
                _refuse_entities(element)
            yield event, element

    def _feed(self, text: bytes) -> None:
        counts = [part.count(b"<") for part in text.split(b">")]
        counts[0] += self._unclosed
        self._unclosed = counts[-1]
        if max(counts) > UNCLOSED:
            raise BadMarkup(f"it has more than {UNCLOSED} < without >")
        try:
            self._parser.feed(text)
        except etree.XMLSyntaxError as error:
            raise BadMarkup(str(error)) from error

    def _finish(self) -> None:
        """End the parsing. What libxml2 closes on its own now was cut off, and is not yielded."""
        try:
            self._parser.close()
        except etree.XMLSyntaxError as error:
            self.problem = str(error)
        log = self._parser.feed_error_log
        if len(log):
            self.problem = f"line {log[0].line}: {log[0].message}"


def local_name(element: etree._Element) -> str:
    """Return the name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _refuse_entities(root: etree._Element) -> None:
    dtd = root.getroottree().docinfo.internalDTD
    if dtd is not None and any(True for _ in dtd.iterentities()):
        raise BadMarkup("it declares entities, which are not read")


def _forget(element: etree._Element) -> None:
    """Empty a finished element and drop its elder siblings; itself it stays, for the parser stands beside it."""
    element.clear(keep_tail=True)
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]
