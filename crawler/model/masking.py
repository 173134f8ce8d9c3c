"""What of a text may be shown, and how? No password of a URL, and nothing that moves the cursor or turns text around.

For messages, log lines and listings. What is data, ``response.url`` and items, stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

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


HIDDEN = "***"
"""What stands for a secret."""

_is_secret = re.compile("secret|passw|passphrase|token|credential|authorization|cookie|api.?key", re.IGNORECASE).search


is_secret_name = re.compile(r"PASSW|SECRET|TOKEN|CREDENTIAL|API_?KEY|ACCESS_?KEY", re.IGNORECASE).search
"""Whether a setting or an argument is called a secret."""


def without_secrets(value: Any) -> Any:
    """Return a plain value that may be kept: ``***`` for the passwords of its URLs and for secret ``storage_options``.

    A user name without password stays, unlike in ``masked``: it says whose password is to be given.
    """
    if isinstance(value, str):
        return _USER.sub(_keep_user, value) if "@" in value and "//" in value else value
    if isinstance(value, Mapping):
        return {
            without_secrets(key): without_secret_entries(each) if key == "storage_options" else without_secrets(each)
            for key, each in value.items()
        }
    return [*map(without_secrets, value)] if isinstance(value, list | tuple) else value


def without_secret_entries(options: Any) -> Any:
    """Return a plain value with ``***`` for what a mapping in it calls a secret, and for the passwords of its URLs."""
    if not isinstance(options, Mapping):
        return without_secrets(options)
    return {name: HIDDEN if _is_secret(str(name)) else without_secret_entries(value) for name, value in options.items()}


def credentials_in(url: str) -> tuple[str, str, str | None, str]:
    """Take apart the URL of a store: what stands before the user, user, password (None: it has none) and the rest.

    As they stand there; nothing is decoded.
    """
    found = _USER.search(url)
    if found is None:
        scheme, slashes, rest = url.partition("//")
        return (scheme + slashes, "", None, rest) if slashes else ("", "", None, url)
    user, colon, password = url[found.start() : found.end() - 1].partition(":")
    return url[: found.start()], user, password if colon else None, url[found.end() :]


def _keep_user(match: re.Match[str]) -> str:
    name, _, password, plain = match.groups()
    return f"{plain or name}:{HIDDEN}@" if plain is not None or password else match.group()


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
