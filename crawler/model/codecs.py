"""Which text do the bytes of a legacy encoding stand for?

The answer is that of https://encoding.spec.whatwg.org/, which is a browser's. Python's codecs give the same but
for a few: what they lack is supplied when they stumble over it (by an error handler of Python's kind, so that all else
keeps its speed), and what they read otherwise is exchanged afterwards. These differences are data, made by
tests/model/standard_indexes.py. iso-2022-jp is read as EUC-JP, of which it is a 7-bit spelling.
"""

from __future__ import annotations

import codecs
import re
from functools import cache

from crawler.model.codec_differences import EXCHANGED, SUPPLIED
from crawler.model.labels import codec_of

BAD = "\ufffd"
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF16_LE, "utf-16-le"))
LEADS = {
    "euc_jp": frozenset([0x8E, *range(0xA1, 0xFF)]),
    "cp932": frozenset([*range(0x81, 0xA0), *range(0xE0, 0xFD)]),
    **dict.fromkeys(("cp949", "big5hkscs", "gb18030"), frozenset(range(0x81, 0xFF))),
}
"""For each multi-byte codec, the bytes that begin a sequence of two."""
# Python reads these as it does others, the standard does not: they are spelt in another way first. In Big5 that is
# one which is no sequence and so comes to the error handler.
_TILDE = (b"\x8f\xa2\xb7", b"\xa1\xc1")
_SLASHES = {b"\xa2A": b"\xa2\x80", b"\xa2B": b"\xa2\x81"}
_READ_SLASHES = {b"\xa2\x80": "\u2215", b"\xa2\x81": "\ufe68"}
_BIG5_PAIR = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xff]")
HALF_WIDTH = "".join(map(chr, range(0xFF61, 0xFFA0)))
"""The half-width katakana, in the order that the encodings have them in."""


def bom_encoding(body: bytes) -> str | None:
    """Return the codec that a byte order mark names."""
    for mark, codec in _BOMS:
        if body.startswith(mark):
            return codec
    return None


def decode(body: bytes, codec: str) -> str:
    """Return the text of a body without its byte order mark; undecodable bytes become U+FFFD.

    Raises LookupError for a codec that Python does not know.
    """
    codec = wide_codec(codec)
    for mark, marked in _BOMS:
        if body.startswith(mark) and codec in (marked, "utf-16"):
            body = body[len(mark) :]
            break
    if codec == "utf-8":
        return body.decode("utf-8", "replace")
    if codec == "iso2022_jp":
        return _decode_iso2022_jp(body)
    return _exchanged(_spelt(body, codec).decode(codec, _errors(codec)), codec)


def fits(body: bytes, codec: str) -> bool:
    """Tell whether Python's codec of this name reads every byte."""
    try:
        body.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def wide_codec(codec: str) -> str:
    """Return the standard's codec for the label of a multi-byte encoding: Python's of these names are narrower."""
    if codec == "utf-8":
        return codec
    named = codec_of(codec)
    return named if named is not None and (named in LEADS or named == "iso2022_jp") else codec


class Decoder:
    """Decodes a body that comes in pieces; a byte order mark stays, as U+FEFF."""

    def __init__(self, codec: str) -> None:
        self._codec = wide_codec(codec)
        self._decoder = codecs.getincrementaldecoder(self._codec)(_errors(self._codec))

    def decode(self, piece: bytes, *, final: bool = False) -> str:
        """Return the text of the next piece; ``final``: a character that is not whole by now is U+FFFD."""
        return _exchanged(self._decoder.decode(_spelt(piece, self._codec), final), self._codec)


def _spelt(body: bytes, codec: str) -> bytes:
    if codec == "euc_jp" and _TILDE[0] in body:
        return body.replace(*_TILDE)
    if codec == "big5hkscs" and (b"\xa2A" in body or b"\xa2B" in body):
        return _BIG5_PAIR.sub(lambda pair: _SLASHES.get(pair[0], pair[0]), body)
    return body


def _exchanged(text: str, codec: str) -> str:
    pairs = EXCHANGED.get(codec)
    if pairs and any(character in text for character in pairs):
        return text.translate(_translation(codec))
    return text


@cache
def _translation(codec: str) -> dict[int, str]:
    return {ord(ours): right for ours, right in EXCHANGED[codec].items()}


@cache
def _errors(codec: str) -> str:
    """Return the name of the error handler that reads what Python's codec does not."""
    supplied = SUPPLIED.get(codec, {}) | (_READ_SLASHES if codec == "big5hkscs" else {})
    if codec not in LEADS and not supplied:
        return "replace"

    def supply(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        body, start = error.object, error.start
        size = _size(body, start, codec)
        sequence = bytes(body[start : start + size])
        found = supplied.get(sequence) or (_nec(sequence) if codec == "euc_jp" else None)
        # An ASCII byte that makes no character with what stands before it is itself.
        taken = len(sequence) if found or size == 4 or sequence[-1] > 0x7F else len(sequence) - 1 or 1
        return found or BAD, start + taken

    name = f"crawler.{codec}"
    codecs.register_error(name, supply)
    return name


# One that the body ends in is an error as a whole.
_FOUR_BYTES = re.compile(rb"[\x81-\xfe][0-9](?:[\x81-\xfe](?:[0-9]|\Z)|\Z)").match


def _size(body: bytes, start: int, codec: str) -> int:
    lead = body[start]
    if codec == "euc_jp" and lead == 0x8F:
        return 3 if b"\xa1" <= body[start + 1 : start + 2] <= b"\xfe" else 2
    if lead not in LEADS.get(codec, ()):
        return 1
    if codec == "gb18030" and b"0" <= body[start + 1 : start + 2] <= b"9":
        return 4 if _FOUR_BYTES(body, start) else 1
    return 2


def _nec(sequence: bytes) -> str | None:
    """Read the rows of NEC and IBM, which Python's EUC-JP lacks, by way of Shift_JIS, which has the same index."""
    if len(sequence) != 2 or not (0xA1 <= sequence[0] <= 0xFE and 0xA1 <= sequence[1] <= 0xFE):
        return None
    lead, trail = divmod((sequence[0] - 0xA1) * 94 + sequence[1] - 0xA1, 188)
    shifted = bytes((lead + (0x81 if lead < 0x1F else 0xC1), trail + (0x40 if trail < 0x3F else 0x41)))
    text = shifted.decode("cp932", "replace")
    return None if BAD in text or "\ue000" <= text <= "\uf8ff" else text


_ESCAPES = re.compile(rb"\x1b(?:\([BJI]|\$[@B])(?:\x1b(?:\([BJI]|\$[@B]))*")
_PAIRS = re.compile(rb"(?:[!-~]{2})+|[!-~][^!-~\x1b]?|[^!-~]")
_ARE_PAIRS = re.compile(rb"(?:[!-~]{2})*+").fullmatch
_HIGH = bytes(byte | 0x80 for byte in range(256))
_ERROR = b"\x80"  # is one in EUC-JP
_ASCII = bytes(0x80 if byte in (0x0E, 0x0F, 0x1B) or byte > 0x7F else byte for byte in range(256))
# The two characters that the Roman set has in other places; the shifts, errors in the text, stand for them.
_ROMAN = _ASCII.translate(bytes({0x5C: 0x0E, 0x7E: 0x0F}.get(byte, byte) for byte in range(256)))
_KANA = [b"\x8e%c" % (byte | 0x80) if 0x21 <= byte <= 0x5F else _ERROR for byte in range(256)]


def _decode_iso2022_jp(body: bytes) -> str:
    parts: list[bytes] = []
    state, start = b"B(", 0
    for found in _ESCAPES.finditer(body):
        # One escape right behind another is an error, the standard says, for text could hide in them.
        parts += (_in_euc(body[start : found.start()], state), _ERROR * (len(found[0]) // 3 - 1))
        state, start = found[0][:-3:-1], found.end()
    parts.append(_in_euc(body[start:], state))
    return decode(b"".join(parts), "euc_jp").replace("\x0e", "¥").replace("\x0f", "‾")


def _in_euc(segment: bytes, state: bytes) -> bytes:
    if state.endswith(b"$"):
        return segment.translate(_HIGH) if _ARE_PAIRS(segment) else _PAIRS.sub(_pair, segment)
    if state == b"I(":
        return b"".join([_KANA[byte] for byte in segment])
    return segment.translate(_ROMAN if state == b"J(" else _ASCII)


def _pair(found: re.Match[bytes]) -> bytes:
    pairs = found[0]
    return pairs.translate(_HIGH) if len(pairs) % 2 == 0 and 0x21 <= pairs[-1] <= 0x7E else _ERROR
