"""What bytes is a request on an HTTP/1.1 connection?"""

from __future__ import annotations

from crawler.download.decoding import ACCEPT_ENCODING
from crawler.download.fast.route import Route
from crawler.errors import FetchError

_ACCEPT_LINE = b"Accept-Encoding: " + ACCEPT_ENCODING + b"\r\n"
# The framing is ours alone: a length or coding of the caller's that differs from the body would let one
# request smuggle another.
_OURS = frozenset((b"content-length", b"transfer-encoding", b"proxy-authorization", b"keep-alive", b"upgrade", b"te"))
_WITH_LENGTH = frozenset(("POST", "PUT", "PATCH"))


def target_of(url: str) -> str:
    """Return path and query of a normal http URL (which always has a path)."""
    start = url.find("/", 8)
    end = url.find("#", start)
    return url[start:] if end < 0 else url[start:end]


def request_head(
    route: Route,
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
    lines = [f"{method} {route.absolute}{target} HTTP/1.1\r\n".encode("ascii"), route.host_line]
    for name, value in headers:
        key = name.lower()
        if key in _OURS and not (key == b"proxy-authorization" and route.absolute):
            continue
        if key == b"host":
            lines[1] = b""
        elif key == b"accept-encoding":
            accept_encoding = False
        lines.append(b"%b: %b\r\n" % (name, value))
    if accept_encoding:
        lines.append(_ACCEPT_LINE)
    if length is None:
        lines.append(b"Transfer-Encoding: chunked\r\n")
    elif length or method in _WITH_LENGTH:
        lines.append(b"Content-Length: %d\r\n" % length)
    if route.absolute and route.proxy is not None and (secret := route.proxy.authorization) is not None:
        lines.append(b"Proxy-Authorization: %b\r\n" % secret)
    lines.append(b"\r\n")
    head = b"".join(lines)
    expected = len(lines) - (not lines[1])
    if head.count(b"\n") != expected or head.count(b"\r") != expected or b"\0" in head:
        raise FetchError("a part of the request contains CR, LF or NUL", sent=False)
    return head
