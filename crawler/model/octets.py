"""Which bytes does a browser send for a text of a form or a query, in the encoding of the page?

The encoders of https://encoding.spec.whatwg.org/: they know fewer characters than the decoders do, and one byte
sequence for each. So a table is made of what the sequences decode to, when one is first needed (some 10 ms).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

from crawler.model.codec_differences import EXCHANGED, SUPPLIED
from crawler.model.codecs import BAD, HALF_WIDTH, LEADS, decode, wide_codec
from crawler.model.labels import name_of

# The full-width forms, in the order of the half-width ones (the standard's index iso-2022-jp katakana).
_FULL_WIDTH = (
    "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソ"  # wide letters: two columns each
    "タチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜"
)
_TO_FULL_WIDTH = str.maketrans(HALF_WIDTH, _FULL_WIDTH)
_SURROGATES = re.compile("[\ud800-\udfff]")
_JAPANESE = {"¥": b"\\", "‾": b"~"}
# Of these the last of several sequences is taken, of all others the first (the standard's "index Big5 pointer").
_LAST_OF_BIG5 = frozenset("═╞╡╪十卅")
# Sequences that the encoders leave out: NEC's doubles of IBM's characters and private ones; Hong Kong's.
_FIRST_LEADS = {"cp932": (*range(0x81, 0xED), *range(0xFA, 0xFD)), "big5hkscs": tuple(range(0xA1, 0xFF))}


def output_encoding(codec: str) -> str:
    """Return the codec of a page's queries and forms: UTF-16 pages send UTF-8 (the standard's "output encoding")."""
    return "utf-8" if codec.lower().startswith(("utf", "u16", "u32")) else codec


def encode(text: str, codec: str, reference: str) -> bytes:
    """Return the bytes of a text; ``reference`` is a format for the number of a character that has none ("&#{};").

    Raises LookupError for a codec that Python does not know.
    """
    if text.isascii():
        return text.encode()
    text = _SURROGATES.sub(BAD, text)
    if codec == "utf-8":
        return text.encode()
    is_gbk = codec != "gb18030" and name_of(codec) == "gbk"
    codec = wide_codec(codec)

    def lacking(character: str) -> bytes:
        return reference.format(ord(character)).encode()

    if codec == "iso2022_jp":
        return b"".join(_iso2022_jp(text, lacking))
    table = _table(codec)
    if table is None:
        return b"".join([_by_python(character, codec) or lacking(character) for character in text])
    known = _gbk if is_gbk else _known
    return b"".join([known(character, codec, table) or lacking(character) for character in text])


def _known(character: str, codec: str, table: dict[str, bytes]) -> bytes | None:
    if character < "\x80":
        return character.encode()
    if codec in ("euc_jp", "cp932"):
        return _JAPANESE.get(character) or table.get("－" if character == "−" else character)
    if codec == "gb18030":
        return table.get(character) or _four_bytes(character)
    return table.get(character)


def _gbk(character: str, codec: str, table: dict[str, bytes]) -> bytes | None:
    """The encoder of gb18030 without its four bytes, and with one byte for the euro sign."""
    raw = b"\x80" if character == "€" else _known(character, codec, table)
    return raw if raw and len(raw) < 4 else None


def _four_bytes(character: str) -> bytes | None:
    # Python has these two the other way round, and the first two bytes for the private character of the third.
    if character == "\ue5e5":
        return None
    return _by_python("\u1e3f" if character == "\ue7c7" else character, "gb18030")


def _by_python(character: str, codec: str) -> bytes | None:
    try:
        return character.encode(codec)
    except UnicodeEncodeError:
        return None


@cache
def _table(codec: str) -> dict[str, bytes] | None:
    """Return the sequences of a codec that is not wholly Python's, by character."""
    if not any(codec in table for table in (LEADS, SUPPLIED, EXCHANGED)):
        return None
    sequences = [bytes((byte,)) for byte in range(0x80, 0x100) if byte not in LEADS.get(codec, ())]
    if codec in LEADS:
        first = 0xA1 if codec == "euc_jp" else 0x40
        leads = _FIRST_LEADS.get(codec) or sorted(LEADS[codec])
        sequences = [] if codec == "gb18030" else sequences
        sequences += [bytes((lead, trail)) for lead in leads for trail in range(first, 0xFF)]
    last = _LAST_OF_BIG5 if codec == "big5hkscs" else ()
    table: dict[str, bytes] = {}
    for sequence, character in zip(sequences, decode(b"\n".join(sequences), codec).split("\n"), strict=True):
        # What is no sequence has been read as U+FFFD and the ASCII byte behind it.
        if len(character) == 1 and character != BAD and (character not in table or character in last):
            table[character] = sequence
    return table


def _iso2022_jp(text: str, lacking: Callable[[str], bytes]) -> Iterator[bytes]:
    table = _table("euc_jp") or {}
    state = ascii_state = b"\x1b(B"
    for character in text.translate(_TO_FULL_WIDTH).replace("−", "－"):
        raw, wanted = character.encode("ascii", "ignore"), ascii_state
        if character in _JAPANESE:
            raw, wanted = _JAPANESE[character], b"\x1b(J"
        elif raw and state == b"\x1b(J" and character not in "\\~":
            wanted = state
        elif not raw and (pair := table.get(character)):
            raw, wanted = bytes(byte & 0x7F for byte in pair), b"\x1b$B"
        elif not raw:
            raw, wanted = lacking(character), state if state == b"\x1b(J" else ascii_state
        if state != wanted:
            yield wanted
            state = wanted
        yield raw
    if state != ascii_state:
        yield ascii_state
