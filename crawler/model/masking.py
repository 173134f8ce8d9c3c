"""What of a text may be shown, and how? No password of a URL, and nothing that moves the cursor or turns text around.

For messages, log lines and listings. What is data, ``response.url`` and items, stays as it is.
"""

from __future__ import annotations

import re

# User information (RFC 3986 §3.2.1) ends at the last "@" of the authority. A password that was not percent-encoded may
# have a slash in it: what follows the first colon is taken for a port if it looks like one.
_USER = re.compile(
    r"""(?<=//)(?:
        ([^\s/?\#"<>:@]*) (:?) ([^\s/?\#"<>]*) @
      | ([^\s/?\#"<>:@]+) : (?!\d{0,5}(?:[/?\#\s"']|$)) [^\s"<>@]{0,256} @
    )""",
    re.VERBOSE,
)


def masked(text: str) -> str:
    """Return the text with ``***`` for the password of each URL in it; a user name without password counts as one."""
    return _USER.sub(_mask, text) if "@" in text and "//" in text else text


def _mask(match: re.Match[str]) -> str:
    name, colon, password, plain = match.groups()
    if plain is not None:
        return f"{plain}:***@"
    if colon and password:
        return f"{name}:***@"
    return "***@" if name else match.group()


# C1 and DEL; line and paragraph separators; bidirectional controls; surrogates, which no stream can encode.
_BEYOND = "\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_UNSAFE = re.compile(f"[\x00-\x1f{_BEYOND}]")
_UNSAFE_IN_LINES = re.compile(f"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f{_BEYOND}]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escape(text: str) -> str:
    """Return the text as one line, with control characters written as escapes."""
    return _UNSAFE.sub(_escape_one, text)


def harmless(text: str) -> str:
    """Return a text of many lines with all control characters but theirs and TAB as JSON's escapes."""
    return _UNSAFE_IN_LINES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _escape_one(match: re.Match[str]) -> str:
    character = match.group()
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
