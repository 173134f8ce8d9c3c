"""What is accepted from a peer, what is refused, and by which error? Each row goes over a socket whole, byte by
byte, and cut at every boundary that matters."""

from __future__ import annotations

import gzip
from typing import Any, NamedTuple

import pytest

from crawler.errors import (
    BadResponse,
    BodyTooLarge,
    ConnectionLost,
    DecodingError,
    FetchError,
    HeadTooLarge,
    TruncatedBody,
)
from crawler.model.request import Request
from tests.download.http.support import Conversation, World, answer, cuts

pytestmark = pytest.mark.process

OK = b"HTTP/1.1 200 OK\r\n"
LENGTH5 = b"Content-Length: 5\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
GZIP = gzip.compress(b"hello")


def in_chunks(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


class Row(NamedTuple):
    """``raw`` is sent and the connection closed, unless ``open``."""

    name: str
    raw: bytes
    body: bytes | None = None
    error: type[FetchError] | None = None
    says: str = ""
    status: int = 200
    method: str = "GET"
    open: bool = False
    header: tuple[str, bytes | None] | None = None
    settings: dict[str, Any] = {}


ROWS = [
    Row("length", OK + LENGTH5 + b"\r\nhello", b"hello", open=True),
    Row("length zero", OK + b"Content-Length: 0\r\n\r\n", b"", open=True),
    Row("length with blanks", OK + b"Content-Length:   5  \r\n\r\nhello", b"hello", open=True),
    Row("lower case names", OK + b"content-length: 5\r\n\r\nhello", b"hello", open=True),
    Row("to the end", OK + b"\r\nhello", b"hello"),
    Row("to the end, empty", OK + b"\r\n", b""),
    Row("HTTP/1.0 to the end", b"HTTP/1.0 200 OK\r\n\r\nhello", b"hello"),
    Row("HTTP/1.0 with length", b"HTTP/1.0 200 OK\r\n" + LENGTH5 + b"\r\nhello", b"hello"),
    Row("chunked", OK + CHUNKED + b"\r\n5\r\nhello\r\n0\r\n\r\n", b"hello", open=True),
    Row("two chunks", OK + CHUNKED + b"\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", b"hello", open=True),
    Row("chunk extension", OK + CHUNKED + b'\r\n5;a=b;c="d"\r\nhello\r\n0\r\n\r\n', b"hello", open=True),
    Row("trailers", OK + CHUNKED + b"\r\n5\r\nhello\r\n0\r\nX-A: b\r\nContent-Length: 9\r\n\r\n", b"hello", open=True),
    Row("upper case chunked", OK + b"Transfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    Row("chunked in HTTP/1.0", b"HTTP/1.0 200 OK\r\n" + CHUNKED + b"\r\n5\r\nhello\r\n0\r\n\r\n", b"hello"),
    Row("chunked and length", OK + LENGTH5 + CHUNKED + b"\r\n2\r\nhi\r\n0\r\n\r\n", b"hi"),
    Row("identity coding", OK + b"Transfer-Encoding: identity\r\n" + LENGTH5 + b"\r\nhello", b"hello", open=True),
    Row("no reason", b"HTTP/1.1 200\r\n" + LENGTH5 + b"\r\nhello", b"hello", open=True),
    Row("empty reason", b"HTTP/1.1 200 \r\n" + LENGTH5 + b"\r\nhello", b"hello", open=True),
    Row("odd status", b"HTTP/1.1 999 Go Away\r\n" + LENGTH5 + b"\r\nhello", b"hello", status=999, open=True),
    Row("blank lines first", b"\r\n\r\n" + OK + LENGTH5 + b"\r\nhello", b"hello", open=True),
    Row("HEAD", OK + b"Content-Length: 5000\r\n\r\n", b"", method="HEAD", open=True),
    Row("HEAD chunked", OK + CHUNKED + b"\r\n", b"", method="HEAD", open=True),
    Row("204", b"HTTP/1.1 204 No Content\r\n\r\n", b"", status=204, open=True),
    Row("204 with length", b"HTTP/1.1 204 No Content\r\n" + LENGTH5 + b"\r\n", b"", status=204, open=True),
    Row("304", b"HTTP/1.1 304 Not Modified\r\n" + LENGTH5 + b"\r\n", b"", status=304, open=True),
    Row("100 first", b"HTTP/1.1 100 Continue\r\n\r\n" + answer(), b"hello", open=True),
    Row("early hints", b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" * 3 + answer(), b"hello", open=True),
    Row("LF only", b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", b"hello", open=True),
    Row("CRLF then LF", b"HTTP/1.1 200 OK\r\nContent-Length: 5\n\r\nhello", b"hello", open=True),
    Row(
        "LF only, CRLF CRLF in the body", b"HTTP/1.1 200 OK\nContent-Length: 6\n\na\r\n\r\nb", b"a\r\n\r\nb", open=True
    ),
    Row("folded", OK + b"X-A: b\r\n  c\r\n\td\r\n" + LENGTH5 + b"\r\nhello", b"hello", header=("X-A", b"b c d")),
    Row("no colon", OK + b"nonsense\r\n" + LENGTH5 + b"\r\nhello", b"hello", open=True),
    Row("blank before the colon", OK + b"Content-Length : 5\r\n\r\nhello", b"hello", open=True),
    Row("name no token", OK + b"X(A): b\r\n" + LENGTH5 + b"\r\nhello", b"hello", header=("X-A", None)),
    Row("no name", OK + b": b\r\n" + LENGTH5 + b"\r\nhello", b"hello", open=True),
    Row("equal lengths", OK + LENGTH5 * 2 + b"\r\nhello", b"hello", open=True),
    Row("equal lengths in a list", OK + b"Content-Length: 5, 5\r\n\r\nhello", b"hello", open=True),
    Row("control character in a value", OK + b"X-A: a\x01b\r\n" + LENGTH5 + b"\r\nhello", b"hello"),
    Row("non-ASCII value", OK + b"X-A: \xe9\r\n" + LENGTH5 + b"\r\nhello", b"hello", header=("X-A", b"\xe9")),
    Row("line of 18 kB", OK + b"Set-Cookie: " + b"c" * 18_000 + b"\r\n" + LENGTH5 + b"\r\nhello", b"hello"),
    Row("more than the length", OK + LENGTH5 + b"\r\nhello and more", b"hello"),
    Row("garbage after chunks", OK + CHUNKED + b"\r\n5\r\nhello\r\n0\r\n\r\ngarbage", b"hello"),
    Row("response after response", answer() * 2, b"hello"),
    Row("body after HEAD", OK + LENGTH5 + b"\r\nhello", b"", method="HEAD"),
    Row("upgrade offered", OK + b"Upgrade: h2c\r\nConnection: upgrade\r\n" + LENGTH5 + b"\r\nhello", b"hello"),
    Row("102 and 199 first", b"HTTP/1.1 102 P\r\n\r\nHTTP/1.1 199 Odd\r\nX: y\r\n\r\n" + answer(), b"hello", open=True),
    Row("LF only after 100", b"HTTP/1.1 100 C\n\nHTTP/1.1 200 OK\nContent-Length: 5\n\nhello", b"hello", open=True),
    Row("204 chunked", b"HTTP/1.1 204 No Content\r\n" + CHUNKED + b"\r\n", b"", status=204, open=True),
    Row("body after 204", b"HTTP/1.1 204 No Content\r\n" + LENGTH5 + b"\r\nhello", b"", status=204),
    Row("body after 304", b"HTTP/1.1 304 Not Modified\r\n" + LENGTH5 + b"\r\nhello", b"", status=304),
    Row("garbage after the length", OK + LENGTH5 + b"\r\nhello\0\r\r\nHTTP", b"hello"),
    Row("reason with odd bytes", b"HTTP/1.1 200 \xe9\t\x01 ok\r\n" + LENGTH5 + b"\r\nhello", b"hello", open=True),
    Row("reason of 20 kB", b"HTTP/1.1 200 " + b"r" * 20_000 + b"\r\n" + LENGTH5 + b"\r\nhello", b"hello", open=True),
    Row("leading zeros in the length", OK + b"Content-Length: 0005\r\n\r\nhello", b"hello", open=True),
    Row("folded length", OK + b"Content-Length:\r\n 5\r\n\r\nhello", b"hello", open=True),
    Row("a value that is all blanks", OK + b"X-A:   \r\n" + LENGTH5 + b"\r\nhello", b"hello", header=("X-A", b"")),
    Row("many colons", OK + b"X-A::b:c\r\n" + LENGTH5 + b"\r\nhello", b"hello", header=("X-A", b":b:c")),
    Row("blank before the colon of a coding", OK + b"Transfer-Encoding : chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", b"x"),
    Row("empty coding", OK + b"Transfer-Encoding:\r\n" + LENGTH5 + b"\r\nhello", b"hello", open=True),
    Row("gzip as a transfer coding", OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + in_chunks(GZIP), b"hello"),
    Row(
        "two codings in two lines", OK + b"Transfer-Encoding: gzip\r\n" + CHUNKED + b"\r\n" + in_chunks(GZIP), b"hello"
    ),
    Row("chunked, said twice", OK + CHUNKED * 2 + b"\r\n5\r\nhello\r\n0\r\n\r\n", b"hello"),
    Row("gzip to the end", OK + b"Transfer-Encoding: gzip\r\n\r\n" + GZIP, b"hello"),
    Row("chunk sizes with leading zeros", OK + CHUNKED + b"\r\n0005\r\nhello\r\n000\r\n\r\n", b"hello", open=True),
    Row("blanks after a chunk size", OK + CHUNKED + b"\r\n5  \r\nhello\r\n0 \r\n\r\n", b"hello", open=True),
    Row("extension with quotes", OK + CHUNKED + b'\r\n5;a="b;\\"c"\r\nhello\r\n0;z\r\n\r\n', b"hello", open=True),
    Row("CRLF in the chunk's data", OK + CHUNKED + b"\r\n6\r\n\r\n0\r\n\r\r\n0\r\n\r\n", b"\r\n0\r\n\r", open=True),
    # RFC 9112 section 8: a chunked body is complete once the chunk of size zero has come.
    Row("no CRLF at the very end", OK + CHUNKED + b"\r\n5\r\nhello\r\n0\r\n", b"hello"),
    Row("closed among the trailers", OK + CHUNKED + b"\r\n5\r\nhello\r\n0\r\nX-A: b\r\n", b"hello"),
    Row("closed in a trailer", OK + CHUNKED + b"\r\n5\r\nhello\r\n0\r\nX-A", b"hello"),
    Row("closed after CR", OK + CHUNKED + b"\r\n5\r\nhello\r\n0\r\n\r", b"hello"),
    Row("NUL in a trailer", OK + CHUNKED + b"\r\n5\r\nhello\r\n0\r\nX\0A: b\r\n\r\n", b"hello"),
    Row("CR in a trailer", OK + CHUNKED + b"\r\n5\r\nhello\r\n0\r\nX-A: a\rb\r\n\r\n", b"hello"),
    Row("trailer without a colon", OK + CHUNKED + b"\r\n0\r\nnonsense\r\n\r\n", b""),
    Row("CR and no LF at the end", OK + CHUNKED + b"\r\n5\r\nhello\r\n0\r\n\rx", b"hello"),
    Row("LF only, closed in a trailer", OK + CHUNKED + b"\r\n5\nhello\n0\nX-A", b"hello"),
    # As curl and Chromium do; the connection is not used again.
    Row("LF only chunks", b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhello\n0\n\n", b"hello"),
    Row("LF only chunk lines", OK + CHUNKED + b"\r\n5 ;x\nhello\r\nA\n0123456789\n0\nX-A: b\n\n", b"hello0123456789"),
    Row("LF only, no end", OK + CHUNKED + b"\r\n5\nhello\n0\n", b"hello"),
    Row("LF only, more after it", OK + CHUNKED + b"\r\n5\nhello\n0\n\nHTTP/1.1 200 OK\r\n\r\n", b"hello"),
    Row("closed without a byte", b"", error=ConnectionLost, says="without an answer"),
    Row("closed in the head", OK + b"X-A", error=ConnectionLost, says="middle of the head"),
    Row("short body", OK + b"Content-Length: 9\r\n\r\nhello", error=TruncatedBody, says="5 of 9"),
    Row("short chunk", OK + CHUNKED + b"\r\n9\r\nhello", error=TruncatedBody),
    Row("chunk of line ends, no data", OK + CHUNKED + b"\r\n5\r\nhello\r\n4\r\n", error=TruncatedBody),
    Row("a bad size after a chunk", OK + CHUNKED + b"\r\n5\r\nhello\r\nzz\r\n\r\n", error=TruncatedBody),
    Row("no last chunk", OK + CHUNKED + b"\r\n5\r\nhello\r\n", error=TruncatedBody),
    Row("bad chunk size", OK + CHUNKED + b"\r\nxyz\r\nhello\r\n0\r\n\r\n", error=TruncatedBody, says="broken chunk"),
    Row("negative chunk size", OK + CHUNKED + b"\r\n-5\r\nhello\r\n0\r\n\r\n", error=TruncatedBody),
    Row("huge chunk size", OK + CHUNKED + b"\r\nfffffffffffffffff\r\n", error=TruncatedBody),
    Row("half a last chunk", OK + CHUNKED + b"\r\n5\r\nhello\r\n0", error=TruncatedBody),
    Row("chunk without its CRLF", OK + CHUNKED + b"\r\n5\r\nhello", error=TruncatedBody),
    Row("chunk of line ends, cut", OK + CHUNKED + b"\r\n6\r\n\n0\r\n", error=TruncatedBody),
    Row("chunk longer than its size", OK + CHUNKED + b"\r\n4\r\nhello\r\n0\r\n\r\n", error=TruncatedBody),
    Row("chunk size 0x5", OK + CHUNKED + b"\r\n0x5\r\nhello\r\n0\r\n\r\n", error=TruncatedBody),
    Row("chunk size +5", OK + CHUNKED + b"\r\n+5\r\nhello\r\n0\r\n\r\n", error=TruncatedBody),
    Row("blank before a chunk size", OK + CHUNKED + b"\r\n 5\r\nhello\r\n0\r\n\r\n", error=TruncatedBody),
    Row("no chunk size", OK + CHUNKED + b"\r\n\r\nhello\r\n0\r\n\r\n", error=TruncatedBody),
    Row("CR in a chunk extension", OK + CHUNKED + b"\r\n5;a\rb\r\nhello\r\n0\r\n\r\n", error=TruncatedBody),
    Row("NUL in a chunk extension", OK + CHUNKED + b"\r\n5;a\0b\r\nhello\r\n0\r\n\r\n", error=TruncatedBody),
    Row("CR alone after a chunk size", OK + CHUNKED + b"\r\n5\rhello\r\n0\r\n\r\n", error=TruncatedBody),
    Row("LF only, size of words", OK + CHUNKED + b"\r\nfive\nhello\n0\n\n", error=TruncatedBody, says="is no size"),
    Row("LF only, huge size", OK + CHUNKED + b"\r\n" + b"f" * 17 + b"\n", error=TruncatedBody, says="is no size"),
    Row("LF only, CR in the extension", OK + CHUNKED + b"\r\n5;a\rb\nhello\n0\n\n", error=TruncatedBody),
    Row("LF only, longer than its size", OK + CHUNKED + b"\r\n4\nhello\n0\n\n", error=TruncatedBody),
    Row("LF only, no last chunk", OK + CHUNKED + b"\r\n5\nhello\n", error=TruncatedBody),
    Row("unequal lengths in a list", OK + b"Content-Length: 5, 6\r\n\r\nhello!", error=BadResponse, says="contradict"),
    Row("list with a hole", OK + b"Content-Length: 5,\r\n\r\nhello", error=BadResponse, says="contradict"),
    Row("length with a blank", OK + b"Content-Length: 5 5\r\n\r\nhello", error=BadResponse, says="not a number"),
    Row("hexadecimal length", OK + b"Content-Length: 0x5\r\n\r\nhello", error=BadResponse, says="not a number"),
    Row("chunked before gzip", OK + CHUNKED + b"Transfer-Encoding: gzip, chunked\r\n\r\n", error=BadResponse),
    Row("xchunked", OK + b"Transfer-Encoding: xchunked\r\n\r\nx", error=BadResponse, says="xchunked"),
    Row("byte order mark", b"\xef\xbb\xbf" + OK + LENGTH5 + b"\r\nhello", error=BadResponse, says="begin like HTTP"),
    Row("blank first", b" " + OK + LENGTH5 + b"\r\nhello", error=BadResponse, says="begin like HTTP"),
    Row("lower case version", b"http/1.1 200 OK\r\n\r\n", error=BadResponse, says="begin like HTTP"),
    Row("HTTP/1.10", b"HTTP/1.10 200 OK\r\n\r\n", error=BadResponse, says="version"),
    Row("HTTP/1", b"HTTP/1 200 OK\r\n\r\n", error=BadResponse, says="version"),
    Row("two blanks before the status", b"HTTP/1.1  200 OK\r\n\r\n", error=BadResponse, says="status line"),
    Row("no blank after the status", b"HTTP/1.1 200OK\r\n\r\n", error=BadResponse, says="status line"),
    Row("status in words", b"HTTP/1.1 OK\r\n\r\n", error=BadResponse, says="status line"),
    Row("CR alone ends the lines", b"HTTP/1.1 200 OK\rContent-Length: 5\r\rhello", error=ConnectionLost),
    Row("unequal lengths", OK + LENGTH5 + b"Content-Length: 6\r\n\r\nhello!", error=BadResponse, says="contradicting"),
    Row("negative length", OK + b"Content-Length: -5\r\n\r\nhello", error=BadResponse, says="not a number"),
    Row("length with a sign", OK + b"Content-Length: +5\r\n\r\nhello", error=BadResponse, says="not a number"),
    Row("length in words", OK + b"Content-Length: five\r\n\r\nhello", error=BadResponse, says="not a number"),
    Row("empty length", OK + b"Content-Length:\r\n\r\nhello", error=BadResponse, says="not a number"),
    Row("length of 40 digits", OK + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n", error=BadResponse),
    Row("chunked not last", OK + b"Transfer-Encoding: chunked, gzip\r\n\r\nx", error=BadResponse, says="misplaced"),
    Row("unknown coding", OK + b"Transfer-Encoding: sparkles\r\n\r\nx", error=BadResponse, says="sparkles"),
    Row("NUL in a value", OK + b"X-A: a\0b\r\n\r\n", error=BadResponse, says="NUL"),
    Row("NUL in a name", OK + b"X\0A: b\r\n\r\n", error=BadResponse, says="NUL"),
    Row("NUL in the reason", b"HTTP/1.1 200 O\0K\r\n\r\n", error=BadResponse, says="NUL"),
    Row("CR in a value", OK + b"X-A: a\rb\r\n\r\n", error=BadResponse, says="CR"),
    Row("two CR", OK + b"X-A: a\r\r\n\r\n", error=BadResponse, says="CR"),
    Row("folded first line", OK + b" X-A: b\r\n\r\n", error=BadResponse, says="folded"),
    Row("HTTP/2.0", b"HTTP/2.0 200 OK\r\n\r\n", error=BadResponse, says="version"),
    Row("HTTP/0.9", b"<html>hello</html>", error=BadResponse, says="begin like HTTP"),
    Row("HTTP/1.2", b"HTTP/1.2 200 OK\r\n\r\n", error=BadResponse, says="version"),
    Row("status 099", b"HTTP/1.1 099 Odd\r\n\r\n", error=BadResponse, says="status line"),
    Row("status -12", b"HTTP/1.1 -12 Odd\r\n\r\n", error=BadResponse, says="status line"),
    Row("status 20", b"HTTP/1.1 20 OK\r\n\r\n", error=BadResponse, says="status line"),
    Row("status 2000", b"HTTP/1.1 2000 OK\r\n\r\n", error=BadResponse, says="status line"),
    Row("ICY", b"ICY 200 OK\r\n\r\n", error=BadResponse, says="begin like HTTP"),
    Row("101", b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", error=BadResponse, says="101"),
    Row("SSH", b"SSH-2.0-OpenSSH_9.9\r\n", error=BadResponse, says="begin like HTTP", open=True),
    Row(
        "line too long",
        OK + b"X-A: " + b"b" * 300 + b"\r\n\r\n",
        error=HeadTooLarge,
        says="HEADER_MAX_LINE",
        settings={"HEADER_MAX_LINE": 200},
    ),
    Row(
        "endless line",
        OK + b"X-A: " + b"b" * 300,
        error=HeadTooLarge,
        says="HEADER_MAX_LINE",
        open=True,
        settings={"HEADER_MAX_LINE": 200},
    ),
    Row(
        "endless reason",
        b"HTTP/1.1 200 " + b"b" * 300,
        error=HeadTooLarge,
        says="HEADER_MAX_LINE",
        open=True,
        settings={"HEADER_MAX_LINE": 200},
    ),
    Row(
        "too many lines",
        OK + b"a: b\r\n" * 20 + b"\r\n",
        error=HeadTooLarge,
        says="HEADER_MAX_COUNT",
        settings={"HEADER_MAX_COUNT": 10},
    ),
    Row(
        "endless head",
        OK + b"a: b\r\n" * 100,
        error=HeadTooLarge,
        says="HEADER_MAX_TOTAL",
        open=True,
        settings={"HEADER_MAX_TOTAL": 500},
    ),
    Row(
        "endless 1xx",
        b"HTTP/1.1 100 C\r\n\r\n" * 50,
        error=HeadTooLarge,
        says="HEADER_MAX_TOTAL",
        open=True,
        settings={"HEADER_MAX_TOTAL": 500},
    ),
    Row(
        "endless blank lines",
        b"\r\n" * 300,
        error=HeadTooLarge,
        says="HEADER_MAX_TOTAL",
        open=True,
        settings={"HEADER_MAX_TOTAL": 500},
    ),
    Row(
        "endless size",
        OK + CHUNKED + b"\r\n" + b"0" * 400,
        error=HeadTooLarge,
        says="chunk extensions",
        open=True,
        settings={"HEADER_MAX_LINE": 200},
    ),
    Row(
        "endless chunk extension",
        OK + CHUNKED + b"\r\n5;" + b"x" * 400,
        error=HeadTooLarge,
        says="chunk extensions",
        open=True,
        settings={"HEADER_MAX_LINE": 200},
    ),
    # Each byte of body allows 16 of other things, but no line grows to that.
    Row(
        "LF only, endless extension",
        OK + CHUNKED + b"\r\n64\n" + b"x" * 100 + b"\n5;" + b"x" * 400,
        error=HeadTooLarge,
        says="longer than 200",
        open=True,
        settings={"HEADER_MAX_LINE": 200},
    ),
    Row(
        "endless trailers",
        OK + CHUNKED + b"\r\n0\r\n" + b"a: b\r\n" * 60,
        error=HeadTooLarge,
        says="trailers",
        open=True,
        settings={"HEADER_MAX_LINE": 200},
    ),
    Row(
        "length above the limit",
        OK + b"Content-Length: 500\r\n\r\n",
        error=BodyTooLarge,
        says="500 bytes",
        open=True,
        settings={"DOWNLOAD_MAXSIZE": 100},
    ),
    Row(
        "endless body",
        OK + b"\r\n" + b"x" * 200,
        error=BodyTooLarge,
        says="100 bytes",
        open=True,
        settings={"DOWNLOAD_MAXSIZE": 100},
    ),
    Row("not gzip", OK + b"Content-Encoding: gzip\r\n" + LENGTH5 + b"\r\nhello", error=DecodingError, says="gzip"),
    Row(
        "short body accepted",
        OK + b"Content-Length: 9\r\n\r\nhello",
        b"hello",
        settings={"DOWNLOAD_FAIL_ON_DATALOSS": False},
    ),
    Row(
        "broken chunk accepted",
        OK + CHUNKED + b"\r\n5\r\nhello\r\nxyz",
        b"hello",
        settings={"DOWNLOAD_FAIL_ON_DATALOSS": False},
    ),
]


def in_pieces(raw: bytes) -> list[list[bytes]]:
    ways = [[raw]]
    if len(raw) < 1000:
        ways.append([raw[offset : offset + 1] for offset in range(len(raw))])
    offsets = cuts(raw)
    step = max(1, len(offsets) // 40)
    ways += [[raw[:offset], raw[offset:]] for offset in offsets[::step]]
    return ways


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_response(world: World, row: Row) -> None:
    ways = in_pieces(row.raw)
    following = iter(ways)

    def script(conversation: Conversation) -> None:
        conversation.say_in_pieces(next(following), close=not row.open)

    server = world.listen(script)
    downloader = world.downloader(**row.settings)
    for way in ways:
        request = Request(server.url(), method=row.method)
        if row.error is not None:
            with pytest.raises(FetchError) as caught:
                world.wait(downloader.fetch(request))
            assert type(caught.value) is row.error, (way, caught.value)
            assert row.says in str(caught.value), way
            assert caught.value.request is request
            assert caught.value.sent
        else:
            response = world.wait(downloader.fetch(request))
            assert (response.status, response.body) == (row.status, row.body), way
            if row.header is not None:
                assert response.headers.get(row.header[0]) == row.header[1]
            if row.settings:
                assert response.flags == ["dataloss"]
        if not row.open:
            # A peer that goes on talking would be talking into the next exchange.
            world.until(lambda: all(conversation.lost for conversation in server.conversations))
    assert len(server.requests) == len(ways)
    if row.open and row.error is None:
        assert len(server.conversations) < len(ways), "the connection was not kept"
