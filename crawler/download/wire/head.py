"""What does the head of a response say, and how does its body end?

Rules: RFC 9112 (HTTP/1.1 messages), sections 2.2, 4, 5 and 6.3. The strict reading is llhttp's, through
httptools. What it refuses is read once more by ``repair``, which accepts only what is unambiguous: bare
LF line ends, folded lines, lines without a colon, the same Content-Length said twice. Anything else is
a BadResponse that names the fault.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from crawler.errors import BadResponse, HeadTooLarge

RawHeaders = list[tuple[bytes, bytes]]

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([^\r\n\0]*))?\r?\n").match
is_token = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_FRAMING = frozenset((b"content-length", b"transfer-encoding", b"connection", b"content-encoding", b"keep-alive"))
_FRAMING_LENGTHS = frozenset(map(len, _FRAMING))
_DECODABLE_CODINGS = frozenset((b"gzip", b"x-gzip", b"deflate"))
# More digits than any body has; int() of a long digit string is quadratic.
_MAX_LENGTH_DIGITS = 18

# How the end of a body is known. Plain numbers: a member of an Enum costs ten times as much to look up.
NO_BODY: Final = 0
BY_LENGTH: Final = 1
BY_CHUNKS: Final = 2
BY_CLOSE: Final = 3


class HeadLimits(NamedTuple):
    """Bytes of the longest line, number of header lines, bytes of the whole head."""

    line: int = 65_536
    lines: int = 1000
    total: int = 262_144


class ResponseHead:
    """A parsed head. ``length`` counts only under BY_LENGTH; ``encodings`` are in the order applied."""

    # Defaults stand on the class, which saves half a microsecond for each response.
    framing = BY_CLOSE
    length = 0
    keep_alive_seconds: int | None = None
    close = False
    encodings: tuple[bytes, ...] = ()

    def __init__(self, status: int, reason: bytes, minor: int, raw: RawHeaders) -> None:
        self.status = status
        self.reason = reason
        self.minor = minor
        self.raw = raw
        self.keep_alive = minor == 1

    def __repr__(self) -> str:
        return f"<ResponseHead {self.status} framing={self.framing} headers={len(self.raw)}>"


def find_end(data: bytes | bytearray, start: int = 0) -> int:
    """Return the offset after the blank line that ends the head, looking from ``start``; -1 if it is not there."""
    end = data.find(b"\n\r\n", start)
    bare = data.find(b"\n\n", start, end + 1 if end >= 0 else len(data))
    if bare >= 0:
        return bare + 2
    return end + 3 if end >= 0 else -1


def check_growing(data: bytes | bytearray, line_start: int, limits: HeadLimits) -> None:
    """Refuse a head that is still coming in but can no longer be accepted."""
    if not (data.startswith(b"HTTP/") or b"HTTP/".startswith(data[:5])):
        # RFC 8446 §5.1: an alert of TLS, which is what a server that speaks it answers to plain HTTP.
        hint = "; it seems that the port speaks TLS: try https://" if data[:2] == b"\x15\x03" else ""
        raise BadResponse(f"the answer does not begin like HTTP: {bytes(data[:40])!r}{hint}")
    if len(data) > limits.total:
        raise HeadTooLarge(f"the head is longer than {limits.total} bytes (HEADER_MAX_TOTAL)")
    if len(data) - line_start > limits.line:
        raise HeadTooLarge(f"a header line is longer than {limits.line} bytes (HEADER_MAX_LINE)")


class _Collector:
    """What llhttp calls for each header line; what it need not call is None, which saves it eight failing look-ups."""

    __slots__ = ("raw",)

    on_message_begin = on_status = on_headers_complete = on_body = None
    on_message_complete = on_chunk_header = on_chunk_complete = None

    def __init__(self) -> None:
        self.raw: RawHeaders = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self.raw.append((name, value))


def parse_strict(data: bytes, method: str, limits: HeadLimits) -> ResponseHead | None:
    """Parse a head that is as it should be, up to its blank line; None if it is not (see ``parse_head``).

    llhttp's strict mode refuses NUL, CR, LF alone, blanks before a colon and folded lines. Raises
    BadResponse or HeadTooLarge for what no other reading can save.
    """
    match = _STATUS_LINE(data)
    if match is None:
        return None
    collector = _Collector()
    try:
        HttpResponseParser(collector).feed_data(data)
    except (HttpParserError, HttpParserUpgrade):
        return None
    raw = collector.raw
    if len(data) > limits.line:
        _check_size(data, limits)
    if len(raw) > limits.lines:
        raise HeadTooLarge(f"the head has more than {limits.lines} lines (HEADER_MAX_COUNT)")
    if b" \r\n" in data:
        raw = [(name, value.rstrip(b" \t")) for name, value in raw]
    minor, code, reason = match.groups()
    head = ResponseHead(int(code), reason or b"", 1 if minor == b"1" else 0, raw)
    frame(head, method)
    return head


def parse_head(data: bytes, method: str, limits: HeadLimits) -> ResponseHead:
    """Parse a whole head, blank line included, of the answer to a request with ``method``.

    Raises BadResponse, or HeadTooLarge.
    """
    head = parse_strict(data, method, limits)
    if head is not None:
        return head
    match = _STATUS_LINE(data)
    if match is None:
        raise _bad_status_line(data)
    _check_size(data, limits)
    if b"\0" in data:
        raise BadResponse("the head contains a NUL byte")
    if data.count(b"\n") - 2 > limits.lines:
        raise HeadTooLarge(f"the head has more than {limits.lines} lines (HEADER_MAX_COUNT)")
    if data.count(b"\r") != data.count(b"\r\n"):
        raise BadResponse("the head contains a CR that ends no line")
    minor, code, reason = match.groups()
    head = ResponseHead(int(code), reason or b"", 1 if minor == b"1" else 0, repair(data))
    frame(head, method)
    return head


def repair(data: bytes) -> RawHeaders:
    """Read the header lines of a head that is not quite HTTP, where only one meaning is possible.

    Folded lines are joined by a blank (RFC 9112 section 5.2), blanks before the colon removed (5.1), lines
    without a colon or with a name that is no token dropped. Raises BadResponse.
    """
    raw: RawHeaders = []
    for line in data.split(b"\n")[1:]:
        text = line.rstrip(b"\r")
        if not text:
            continue
        if text[:1] in (b" ", b"\t"):
            if not raw:
                raise BadResponse("the first header line is a folded one")
            name, value = raw[-1]
            raw[-1] = (name, (value + b" " + text.strip(b" \t")).strip(b" \t"))
            continue
        name, colon, value = text.partition(b":")
        name = name.rstrip(b" \t")
        if colon and is_token(name):
            raw.append((name, value.strip(b" \t")))
    return raw


def _check_size(data: bytes, limits: HeadLimits) -> None:
    if len(data) > limits.total:
        raise HeadTooLarge(f"the head is longer than {limits.total} bytes (HEADER_MAX_TOTAL)")
    if max(map(len, data.split(b"\n"))) > limits.line:
        raise HeadTooLarge(f"a header line is longer than {limits.line} bytes (HEADER_MAX_LINE)")


def _bad_status_line(data: bytes) -> BadResponse:
    line = data.split(b"\n", 1)[0].rstrip(b"\r")[:80]
    if b"\0" in line or b"\r" in line:
        return BadResponse(f"the status line contains NUL or CR: {line!r}")
    if re.match(rb"HTTP/\d", line) and not re.match(rb"HTTP/1\.[01] ", line):
        return BadResponse(f"the version of the answer is neither HTTP/1.0 nor HTTP/1.1: {line!r}")
    if not line.startswith(b"HTTP/"):
        return BadResponse(f"the answer does not begin like HTTP: {line[:40]!r}")
    return BadResponse(f"the answer has no acceptable status line: {line!r}")


def frame(head: ResponseHead, method: str) -> None:
    """Decide by RFC 9112 section 6.3, in its order, how the body ends."""
    lengths: list[bytes] = []
    codings: list[bytes] = []
    for name, value in head.raw:
        # Their lengths tell most others apart, for less than lower() costs.
        if len(name) in _FRAMING_LENGTHS and (key := name.lower()) in _FRAMING:
            if key == b"content-length":
                lengths.append(value)
            elif key == b"connection":
                _connection(head, value.lower())
            elif key == b"content-encoding":
                head.encodings += tuple(_tokens(value))
            elif key == b"transfer-encoding":
                codings += _tokens(value)
            else:
                _keep_alive_hint(head, value)
    status = head.status
    if method == "HEAD" or status < 200 or status == 204 or status == 304 or (method == "CONNECT" and status < 300):
        head.framing = NO_BODY
    elif codings:
        _frame_by_codings(head, codings, lengths)
    elif lengths:
        head.framing = BY_LENGTH
        value = lengths[0]
        # isdigit() of bytes is ASCII only; the common case is one plain number.
        plain = len(lengths) == 1 and value.isdigit() and len(value) <= _MAX_LENGTH_DIGITS
        head.length = int(value) if plain else _one_length(lengths)
    else:
        head.keep_alive = False


def _tokens(value: bytes) -> list[bytes]:
    return [token for part in value.split(b",") if (token := part.strip(b" \t").lower()) and token != b"identity"]


def _connection(head: ResponseHead, value: bytes) -> None:
    if value == b"keep-alive" and not head.close:
        head.keep_alive = True
        return
    tokens = [token.strip() for token in value.split(b",")]
    if head.close or b"close" in tokens:
        # Whatever else is said, before or after (RFC 9112 section 9.3).
        head.close = True
        head.keep_alive = False
    elif head.minor == 0 and b"keep-alive" in tokens:
        head.keep_alive = True


def _keep_alive_hint(head: ResponseHead, value: bytes) -> None:
    """Take ``timeout=N`` of a Keep-Alive header (RFC 2068 section 19.7.1.1): idle longer is closed by the peer."""
    match = re.search(rb"timeout\s*=\s*(\d{1,6})", value)
    if match:
        head.keep_alive_seconds = int(match[1])


def _frame_by_codings(head: ResponseHead, codings: list[bytes], lengths: list[bytes]) -> None:
    """Transfer-Encoding overrides Content-Length; a peer that sends both is not trusted with another request."""
    if lengths or head.minor == 0:
        head.keep_alive = False
    if codings[-1] == b"chunked":
        head.framing = BY_CHUNKS
        codings = codings[:-1]
        while codings and codings[-1] == b"chunked":
            # Forbidden (RFC 9112 section 6.1), but two programs that each add the header are common enough.
            codings = codings[:-1]
            head.keep_alive = False
    else:
        head.framing = BY_CLOSE
        head.keep_alive = False
    for coding in codings:
        if coding not in _DECODABLE_CODINGS:
            raise BadResponse(f"unknown or misplaced transfer coding {coding[:40]!r}")
    head.encodings += tuple(codings)


def _one_length(lengths: list[bytes]) -> int:
    """Merge lengths that say the same, as RFC 9112 section 6.3 point 5 allows."""
    values = {part.strip(b" \t") for value in lengths for part in value.split(b",")}
    if len(values) != 1:
        raise BadResponse(f"contradicting Content-Length values: {[value[:40] for value in sorted(values)[:4]]!r}")
    value = values.pop()
    if not value.isdigit() or len(value) > _MAX_LENGTH_DIGITS:
        raise BadResponse(f"Content-Length is not a number: {value[:40]!r}")
    return int(value)
