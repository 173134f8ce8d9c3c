"""In which encoding is a text that does not say it?"""

from __future__ import annotations

import re

PRESCAN = 1024
DEFAULT = "cp1252"

_LANGUAGE = re.compile(rb"<html[^>]{0,400}?\blang=[\"']?([A-Za-z]{2,3})(?:[-_]([A-Za-z]+))?", re.IGNORECASE)

# What browsers guess for a user of that language (the table at the end of the standard's section); tried
# strictly, in this order.
_BY_LANGUAGE = {
    "ja": ("iso2022_jp", "euc_jp", "cp932"),
    "ko": ("cp949",),
    "zh": ("gb18030", "big5hkscs"),
    "ru": ("cp1251",),
    "uk": ("cp1251",),
    "be": ("cp1251",),
    "bg": ("cp1251",),
    "sr": ("cp1251",),
    "mk": ("cp1251",),
    "kk": ("cp1251",),
    "el": ("iso8859-7",),
    "he": ("cp1255",),
    "ar": ("cp1256",),
    "fa": ("cp1256",),
    "th": ("cp874",),
    "vi": ("cp1258",),
    "tr": ("cp1254",),
    "az": ("cp1254",),
    "ku": ("cp1254",),
    "cs": ("cp1250",),
    "hu": ("iso8859-2",),
    "pl": ("iso8859-2",),
    "sk": ("cp1250",),
    "sl": ("iso8859-2",),
    "hr": ("cp1250",),
    "et": ("cp1257",),
    "lt": ("cp1257",),
    "lv": ("cp1257",),
}


def detected_encoding(body: bytes) -> str:
    """Guess: UTF-8 if it is that, else what the page's language suggests, else windows-1252."""
    if body.isascii():
        return "utf-8"
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        # A body cut in its last character is UTF-8 still, if it had others.
        if error.reason == "unexpected end of data" and not body[: error.start].isascii():
            return "utf-8"
    else:
        return "utf-8"
    if language := _LANGUAGE.search(body, 0, PRESCAN):
        candidates = _BY_LANGUAGE.get(language[1].decode().lower(), ())
        if candidates == _BY_LANGUAGE["zh"] and (language[2] or b"").lower() in (b"tw", b"hk", b"hant", b"mo"):
            candidates = candidates[::-1]
        for codec in candidates:
            try:
                body.decode(codec)
            except UnicodeDecodeError:
                continue
            return codec
    return DEFAULT
