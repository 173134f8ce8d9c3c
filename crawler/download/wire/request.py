"""What bytes is a request on an HTTP/1.1 connection?"""

from __future__ import annotations

from crawler.download.coding.decoding import ACCEPT_ENCODING
from crawler.errors import FetchError
from crawler.model.url import DEFAULT_PORTS, shortened

_ACCEPT_LINE = b"Accept-Encoding: " + ACCEPT_ENCODING + b"\r\n"
# The framing is ours alone: a length or coding of the caller's that differs from the body would let one
# request smuggle another.
_OURS = frozenset((b"content-length", b"transfer-encoding", b"proxy-authorization", b"keep-alive", b"upgrade", b"te"))
_WITH_LENGTH = frozenset(("POST", "PUT", "PATCH"))


class Destination:
    """What the heads of all requests to one origin have in common.

    ``proxied``: a proxy is asked for each page, and is given the whole URL (RFC 9112 section 3.2.2) and
    ``authorization``, the value of Proxy-Authorization.
    """

    __slots__ = ("absolute", "authorization", "host_line", "latest_headers")

    def __init__(self, scheme: str, host: str, port: int, *, proxied: bool, authorization: bytes | None) -> None:
        name = f"[{host}]" if ":" in host else host
        authority = name if DEFAULT_PORTS[scheme] == port else f"{name}:{port}"
        self.host_line = b"Host: " + authority.encode() + b"\r\n"
        self.absolute = f"{scheme}://{authority}" if proxied else ""
        self.authorization = authorization if proxied else None
        self.latest_headers: tuple[list[tuple[bytes, bytes]], bool, bytes] | None = None


def target_of(url: str) -> str:
    """Return path and query of a normal http URL (which always has a path)."""
    start = url.find("/", 8)
    end = url.find("#", start)
    return url[start:] if end < 0 else url[start:end]


def request_head(
    destination: Destination,
    method: str,
    target: str,
    headers: list[tuple[bytes, bytes]],
    *,
    length: int | None = 0,
    accept_encoding: bool = False,
) -> bytes:
    """Return the head of a request, blank line included.

    ``length`` is that of the body; None: it is sent in chunks. ``accept_encoding`` adds the codings that are
    decoded here unless the caller names some. Raises FetchError if a line end got into any part.
    """
    # Neighbouring requests of a host mostly have the same headers.
    known = destination.latest_headers
    if known is not None and known[0] == headers and known[1] is accept_encoding:
        block = known[2]
    else:
        block = _header_block(destination, headers, accept_encoding=accept_encoding)
        destination.latest_headers = (headers, accept_encoding, block)
    line = f"{method} {destination.absolute}{target} HTTP/1.1\r\n"
    if line.count("\n") != 1 or line.count("\r") != 1 or not line.isascii():
        raise FetchError(f"the URL is not fit to be sent: {shortened(target)!r}", sent=False)
    if length is None:
        framing = "Transfer-Encoding: chunked\r\n\r\n"
    elif length or method in _WITH_LENGTH:
        framing = f"Content-Length: {length}\r\n\r\n"
    else:
        framing = "\r\n"
    return line.encode() + block + framing.encode()


def _header_block(destination: Destination, headers: list[tuple[bytes, bytes]], *, accept_encoding: bool) -> bytes:
    """Return all header lines that do not depend on target and body."""
    host = destination.host_line
    lines = []
    for name, value in headers:
        key = name.lower()
        by_hand = key == b"proxy-authorization" and destination.absolute and destination.authorization is None
        if key in _OURS and not by_hand:
            continue
        if key == b"host":
            host = b""
        elif key == b"accept-encoding":
            accept_encoding = False
        lines.append(b"%b: %b\r\n" % (name, value))
    if accept_encoding:
        lines.append(_ACCEPT_LINE)
    if destination.authorization is not None:
        lines.append(b"Proxy-Authorization: %b\r\n" % destination.authorization)
    block = b"".join(lines)
    if block.count(b"\n") != len(lines) or block.count(b"\r") != len(lines) or b"\0" in block:
        raise FetchError("a header of the request contains CR, LF or NUL", sent=False)
    return host + block
