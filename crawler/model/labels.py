"""Which encoding does a label name?

The table of https://encoding.spec.whatwg.org/#names-and-labels: browsers decode "iso-8859-1" as
windows-1252 and "gb2312" as GBK, and so do we. A label that is not in the table never reaches Python's
own registry, which also holds codecs that are slow or no encodings at all (punycode, unicode_escape).
"""

from __future__ import annotations

from functools import lru_cache

# Name in the standard: the codec of Python that does it, and the labels besides the name itself. The
# families at the end are regular and are written out by _all_labels.
_TABLE = {
    "utf-8": ("utf-8", "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf8 x-unicode20utf8"),
    "ibm866": ("cp866", "866 cp866 csibm866"),
    "iso-8859-8-i": ("iso8859-8", "csiso88598i logical"),
    "koi8-r": ("koi8-r", "cskoi8r koi koi8 koi8_r"),
    "koi8-u": ("koi8-u", "koi8-ru"),
    "macintosh": ("mac-roman", "csmacintosh mac x-mac-roman"),
    "windows-874": ("cp874", "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620"),
    "x-mac-cyrillic": ("mac-cyrillic", "x-mac-ukrainian"),
    "gbk": ("gb18030", "chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 iso-ir-58 x-gbk"),
    "gb18030": ("gb18030", ""),
    "big5": ("big5hkscs", "big5-hkscs cn-big5 csbig5 x-x-big5"),
    "euc-jp": ("euc_jp", "cseucpkdfmtjapanese x-euc-jp"),
    "iso-2022-jp": ("iso2022_jp", "csiso2022jp"),
    "shift_jis": ("cp932", "csshiftjis ms932 ms_kanji shift-jis sjis windows-31j x-sjis"),
    "euc-kr": (
        "cp949",
        "cseuckr csksc56011987 iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949",
    ),
    "utf-16be": ("utf-16-be", "unicodefffe"),
    "utf-16le": ("utf-16-le", "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16"),
    # The standard decodes this one to private characters, and lets a page's <meta> say windows-1252.
    "x-user-defined": ("cp1252", ""),
    # The standard refuses these ("replacement") because they can hide markup from a filter; a crawler wants
    # the text, and filters nothing.
    "hz-gb-2312": ("hz", ""),
    "iso-2022-kr": ("iso2022_kr", "csiso2022kr"),
}
_ISO_8859 = {
    2: "csisolatin2 iso-ir-101 iso_8859-2:1987 l2 latin2",
    3: "csisolatin3 iso-ir-109 iso_8859-3:1988 l3 latin3",
    4: "csisolatin4 iso-ir-110 iso_8859-4:1988 l4 latin4",
    5: "csisolatincyrillic cyrillic iso-ir-144 iso_8859-5:1988",
    6: "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6-e iso-8859-6-i iso-ir-127 "
    "iso_8859-6:1987",
    7: "csisolatingreek ecma-118 elot_928 greek greek8 iso-ir-126 iso_8859-7:1987 sun_eu_greek",
    8: "csiso88598e csisolatinhebrew hebrew iso-8859-8-e iso-ir-138 iso_8859-8:1988 visual",
    10: "csisolatin6 iso-ir-157 l6 latin6",
    15: "csisolatin9 l9",
}
_WINDOWS = {
    1252: "ansi_x3.4-1968 ascii cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 "
    "iso_8859-1:1987 l1 latin1 us-ascii",
    1254: "csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5",
}


def _all_labels() -> dict[str, tuple[str, str]]:
    labels = {}
    for name, (codec, others) in _TABLE.items():
        labels.update(dict.fromkeys([name, *others.split()], (name, codec)))
    for part in (*range(2, 9), 10, 13, 14, 15, 16):
        name = f"iso-8859-{part}"
        spellings = [name, f"iso8859-{part}", f"iso8859{part}", f"iso_8859-{part}", *_ISO_8859.get(part, "").split()]
        labels.update(dict.fromkeys(spellings, (name, f"iso8859-{part}")))
    for page in range(1250, 1259):
        others = _WINDOWS.get(page, "")
        name = f"windows-{page}"
        labels.update(dict.fromkeys([name, f"cp{page}", f"x-cp{page}", *others.split()], (name, f"cp{page}")))
    return labels


LABELS = _all_labels()
"""The name in the standard and Python's codec of every label, in lower case."""
# Servers also write "utf_8", "windows1251" and "eucjp"; nothing is lost by understanding them.
_SQUEEZED = {label.replace("-", "").replace("_", ""): found for label, found in LABELS.items()}


@lru_cache(maxsize=256)
def _find(label: str) -> tuple[str, str] | None:
    label = label.strip("\t\n\f\r ").lower()
    return LABELS.get(label) or _SQUEEZED.get(label.replace("-", "").replace("_", "").replace(" ", ""))


def name_of(label: str) -> str | None:
    """Return the encoding's name in the standard, in lower case, or None for an unknown label."""
    found = _find(label[:64])
    return found[0] if found else None


def codec_of(label: str) -> str | None:
    """Return the name of Python's codec for a label, or None for an unknown one."""
    found = _find(label[:64])
    return found[1] if found else None
