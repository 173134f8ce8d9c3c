"""What do the indexes of the Encoding standard say, and in what does Python differ?

The indexes are those of the npm package text-encoding, which took them from https://encoding.spec.whatwg.org/.
To make crawler/model/codec_differences.py and standard_digests.json again:

    npm pack text-encoding && tar xzf text-encoding-*.tgz
    .venv/bin/python -m tests.model.standard_indexes package/lib/encoding-indexes.js
"""

from __future__ import annotations

import json
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

HERE = Path(__file__).parent
DIGESTS = HERE / "standard_digests.json"
DIFFERENCES = HERE.parents[1] / "crawler" / "model" / "codec_differences.py"

SINGLE_BYTE = {
    "ibm866": "cp866", "koi8-r": "koi8-r", "koi8-u": "koi8-u", "macintosh": "mac-roman", "windows-874": "cp874",
    "x-mac-cyrillic": "mac-cyrillic",
    **{f"windows-{page}": f"cp{page}" for page in range(1250, 1259)},
    **{f"iso-8859-{part}": f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
}  # fmt: skip
CODECS = {
    **SINGLE_BYTE, "euc-jp": "euc_jp", "shift_jis": "cp932", "euc-kr": "cp949", "big5": "big5hkscs",
    "gb18030": "gb18030",
}  # fmt: skip

# GB18030-2005 in the standard since 2023: the package is older, and has the private characters on the left.
NEWER = dict(
    zip(
        "\ue78d\ue78e\ue78f\ue790\ue791\ue792\ue793\ue794\ue795\ue796\ue81e\ue826\ue82b\ue82c\ue832\ue843\ue854\ue864",
        "\ufe10\ufe12\ufe11\ufe13\ufe14\ufe15\ufe16\ufe17\ufe18\ufe19\u9fb4\u9fb5\u9fb6\u9fb7\u9fb8\u9fb9\u9fba\u9fbb",
        strict=True,
    )
)
# Of two sequences that Python reads alike these are the others: a tilde in EUC-JP, two slashes in Big5.
READ_BY_THEMSELVES = (b"\x8f\xa2\xb7", b"\xa2A", b"\xa2B")
_BIG5_PAIRS = {1133: "\u00ca\u0304", 1135: "\u00ca\u030c", 1164: "\u00ea\u0304", 1166: "\u00ea\u030c"}

Sequences = Iterator[bytes]
Read = Callable[[int], str]


def sequences(encoding: str) -> Sequences:
    """Yield every byte sequence that an encoding could have a character for, in an order that stays."""
    if encoding in SINGLE_BYTE:
        yield from (bytes((byte,)) for byte in range(0x80, 0x100))
    elif encoding == "euc-jp":
        yield from _pairs(range(0xA1, 0xFF), range(0xA1, 0xFF))
        yield from (b"\x8f" + pair for pair in _pairs(range(0xA1, 0xFF), range(0xA1, 0xFF)))
        yield from _pairs((0x8E,), range(0xA1, 0xE0))
    elif encoding == "shift_jis":
        yield from (bytes((byte,)) for byte in (0x80, *range(0xA0, 0xE0), 0xFD, 0xFE, 0xFF))
        yield from _pairs((*range(0x81, 0xA0), *range(0xE0, 0xFD)), (*range(0x40, 0x7F), *range(0x80, 0xFD)))
    elif encoding == "euc-kr":
        yield from _pairs(range(0x81, 0xFF), range(0x41, 0xFF))
    elif encoding == "big5":
        yield from _pairs(range(0x81, 0xFF), (*range(0x40, 0x7F), *range(0xA1, 0xFF)))
    else:
        yield from (b"\x80", b"\xff")
        yield from _pairs(range(0x81, 0xFF), (*range(0x40, 0x7F), *range(0x80, 0xFF)))
        yield from (_four_bytes(pointer) for pointer in range(39420))
        yield from (_four_bytes(189000 + pointer) for pointer in range(0, 1048576, 997))


def _pairs(leads: Any, trails: Any) -> Sequences:
    return (bytes((lead, trail)) for lead in leads for trail in trails)


def _four_bytes(pointer: int) -> bytes:
    first, rest = divmod(pointer, 12600)
    second, rest = divmod(rest, 1260)
    third, fourth = divmod(rest, 10)
    return bytes((first + 0x81, second + 0x30, third + 0x81, fourth + 0x30))


def texts(encoding: str, indexes: dict[str, list[Any]]) -> Iterator[str | None]:
    """Yield what the standard says each of the sequences is; None where it is an error."""
    if encoding in SINGLE_BYTE:
        yield from map(_character(indexes[encoding]), range(128))
    elif encoding == "euc-jp":
        yield from map(_character(indexes["jis0208"]), range(94 * 94))
        yield from map(_character(indexes["jis0212"]), range(94 * 94))
        yield from map(chr, range(0xFF61, 0xFFA0))
    elif encoding == "shift_jis":
        yield from ("\x80", None, *map(chr, range(0xFF61, 0xFFA0)), None, None, None)
        character = _character(indexes["jis0208"])
        for pointer in range(60 * 188):
            yield chr(0xE000 - 8836 + pointer) if 8836 <= pointer <= 10715 else character(pointer)
    elif encoding == "euc-kr":
        yield from map(_character(indexes["euc-kr"]), range(126 * 190))
    elif encoding == "big5":
        character = _character(indexes["big5"])
        yield from (_BIG5_PAIRS.get(pointer) or character(pointer) for pointer in range(126 * 157))
    else:
        yield from ("€", None)
        character = _character(indexes["gb18030"])
        yield from (NEWER.get(str(character(pointer)), character(pointer)) for pointer in range(126 * 190))
        ranges = indexes["gb18030-ranges"]
        starts = [start for start, _ in ranges]
        for pointer in range(39420):
            start, first = ranges[bisect_right(starts, pointer) - 1]
            yield "\ue7c7" if pointer == 7457 else chr(first + pointer - start)
        yield from (chr(0x10000 + pointer) for pointer in range(0, 1048576, 997))


def _character(index: list[Any]) -> Callable[[int], str | None]:
    return lambda pointer: chr(index[pointer]) if pointer < len(index) and index[pointer] else None


def digests(found: Iterator[str | None]) -> list[str]:
    """Return a checksum of every 94 texts."""
    each = ["\ufffd" if text is None else text for text in found]
    return [f"{crc32('|'.join(each[start : start + 94]).encode()):08x}" for start in range(0, len(each), 94)]


def _differences(indexes: dict[str, list[Any]]) -> str:
    supplied: dict[str, dict[bytes, str]] = {}
    exchanged: dict[str, dict[str, str]] = {}
    for encoding, codec in CODECS.items():
        for sequence, right in zip(sequences(encoding), texts(encoding, indexes), strict=True):
            pythons = _by_python(sequence, codec)
            if pythons == right or sequence in READ_BY_THEMSELVES or (codec == "euc_jp" and pythons is None):
                continue  # euc_jp: the rows of NEC and IBM are read by way of cp932
            if pythons is None:
                supplied.setdefault(codec, {})[sequence] = str(right)
            else:
                exchanged.setdefault(codec, {})[pythons] = right or "\ufffd"
    return _module(supplied, exchanged)


def _by_python(sequence: bytes, codec: str) -> str | None:
    try:
        return sequence.decode(codec)
    except UnicodeDecodeError:
        return None


def _module(supplied: dict[str, dict[bytes, str]], exchanged: dict[str, dict[str, str]]) -> str:
    lines = [
        '"""In what do Python\'s codecs differ from the Encoding standard? Made by tests/model/standard_indexes.py."""',
        "",
        "SUPPLIED: dict[str, dict[bytes, str]] = {",
    ]
    for codec, found in supplied.items():
        lines.append(f"    {codec!r}: {{".replace("'", '"'))
        entries = [f"{key!r}: {_quoted(value)}," for key, value in found.items()]
        lines += [f"        {' '.join(entries[start : start + 4])}" for start in range(0, len(entries), 4)]
        lines.append("    },")
    lines += ["}  # fmt: skip", '"""Sequences of which a codec knows no character."""', "", "EXCHANGED = {"]
    for codec, pairs in exchanged.items():
        lines.append(f"    {codec!r}: {{".replace("'", '"'))
        entries = [f"{_quoted(ours)}: {_quoted(right)}," for ours, right in pairs.items()]
        lines += [f"        {' '.join(entries[start : start + 4])}" for start in range(0, len(entries), 4)]
        lines.append("    },")
    return "\n".join([*lines, "}  # fmt: skip", '"""Characters that a codec has in the place of others."""', ""])


def _quoted(text: str) -> str:
    codes = "".join(f"\\U{ord(each):08x}" if ord(each) > 0xFFFF else f"\\u{ord(each):04x}" for each in text)
    return f'"{codes}"'


def main(path: str) -> None:
    """Write the differences and the digests."""
    source = Path(path).read_text()
    indexes = json.loads(source[source.index("{", source.index("encoding-indexes")) : source.rindex("};") + 1])
    DIFFERENCES.write_text(_differences(indexes))
    found = {encoding: " ".join(digests(texts(encoding, indexes))) for encoding in CODECS}
    DIGESTS.write_text(json.dumps(found, indent=0) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
