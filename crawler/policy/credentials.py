"""What of a request may follow it to another URL?

Credentials go to the origin (scheme, host, port) they were given for and to no other: not to another
port, not from http to https, not to a sub-domain. A body goes where its method goes, and takes its
description with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crawler.model.headers import Headers

# Host belongs here too: a name written by hand is true of one server only.
_OF_ONE_ORIGIN = (b"Authorization", b"Cookie", b"Proxy-Authorization", b"Host")
# Beside the Content-* fields, these describe a body or how it is handed over (RFC 9110 §15.4, Fetch §4.4).
_OF_A_BODY = (b"transfer-encoding", b"expect", b"trailer", b"digest")


def without_secrets(headers: Headers, meta: dict[str, Any]) -> tuple[Headers, dict[str, Any]]:
    """Return copies for another origin: no credentials, none of the headers meta names in
    ``secret_headers``, no ``auth``. The proxy and the names of cookie jar and session stay: they are ours.
    """
    headers = headers.copy()
    for name in (*_OF_ONE_ORIGIN, *_names(meta.get("secret_headers"))):
        headers.pop(name, None)
    return headers, {key: value for key, value in meta.items() if key != "auth"}


def without_body(headers: Headers, meta: dict[str, Any]) -> tuple[Headers, dict[str, Any]]:
    """Return copies for a request that has lost its body: no field that describes one, no ``files``."""
    headers = headers.copy()
    for name in {name.lower() for name, _ in headers.raw()}:
        if name.startswith(b"content-") or name in _OF_A_BODY:
            headers.pop(name, None)
    return headers, {key: value for key, value in meta.items() if key != "files"}


def _names(value: str | bytes | Iterable[str | bytes] | None) -> Iterable[str | bytes]:
    if not value:
        return ()
    return (value,) if isinstance(value, str | bytes) else tuple(value)
