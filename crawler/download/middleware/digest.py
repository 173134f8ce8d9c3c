"""What does a client answer to a Digest challenge? (RFC 7616)"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import md5, sha256
from typing import Any

# A name is looked for at its first letter only, and read once: a long one would cost its square otherwise.
_PARAMETER = re.compile(r'(?<![\w-])([A-Za-z][\w-]*+)\s*=\s*(?:"((?:[^"\\]|\\.){0,4096})"|([^\s,"]{0,1024}))').finditer
_SCHEME = re.compile(r"(?:^|,)\s*([A-Za-z][\w-]*)(?=\s+[A-Za-z][\w-]*\s*=|\s*(?:,|$))").finditer
_HASHES: dict[str, Callable[[bytes], Any]] = {"md5": md5, "sha-256": sha256}


class Challenge:
    """A challenge that can be answered; it is used for later requests too, until the server renews it."""

    def __init__(self, parameters: dict[str, str]) -> None:
        self.realm = parameters.get("realm", "")
        self.nonce = parameters["nonce"]
        self.opaque = parameters.get("opaque")
        self.algorithm = parameters.get("algorithm", "MD5")
        self.qop = "auth" if "auth" in re.split(r"[\s,]+", parameters.get("qop", "").lower()) else None
        self.stale = parameters.get("stale", "").lower() == "true"
        self.count = 0

    def answer(self, method: str, target: str, username: str, password: str, *, cnonce: str) -> bytes:
        """Return the value of Authorization for one request; ``target`` is path and query."""
        name = self.algorithm.lower()
        function = _HASHES[name.removesuffix("-sess")]

        def digest(*parts: str) -> str:
            return str(function(":".join(parts).encode()).hexdigest())

        self.count += 1
        count = f"{self.count:08x}"
        first = digest(username, self.realm, password)
        if name.endswith("-sess"):
            first = digest(first, self.nonce, cnonce)
        second = digest(method, target)
        middle = (self.nonce, count, cnonce, "auth") if self.qop else (self.nonce,)
        quoted = {"username": username, "realm": self.realm, "nonce": self.nonce, "uri": target}
        quoted["response"] = digest(first, *middle, second)
        if self.opaque is not None:
            quoted["opaque"] = self.opaque
        parts = [f'{key}="{_escaped(value)}"' for key, value in quoted.items()] + [f"algorithm={self.algorithm}"]
        if self.qop:
            parts += ["qop=auth", f"nc={count}", f'cnonce="{cnonce}"']
        return b"Digest " + ", ".join(parts).encode()


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def challenge_in(lines: list[bytes]) -> Challenge | None:
    """Return the best Digest challenge of WWW-Authenticate lines, or None: SHA-256 before MD5."""
    found: list[tuple[bool, int, Challenge]] = []
    for line in lines:
        text = line[:16_384].decode("latin-1")
        schemes = list(_SCHEME(text))
        for position, scheme in enumerate(schemes):
            if scheme[1].lower() != "digest":
                continue
            end = schemes[position + 1].start() if position + 1 < len(schemes) else len(text)
            parameters = {
                match[1].lower(): re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3]
                for match in _PARAMETER(text[scheme.end() : end])
            }
            algorithm = parameters.get("algorithm", "MD5").lower()
            if "nonce" in parameters and algorithm.removesuffix("-sess") in _HASHES:
                found.append((not algorithm.startswith("sha-256"), len(found), Challenge(parameters)))
    return min(found)[2] if found else None
