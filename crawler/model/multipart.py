"""How does a form travel that is not urlencoded?

https://html.spec.whatwg.org/#multipart-form-data and #plain-text-form-data. The boundary is made of the content,
so that the same form is the same request.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from crawler.model.controls import NoFile
from crawler.model.octets import encode, output_encoding

_IN_NAMES = {ord("\r"): "%0D", ord("\n"): "%0A", ord('"'): "%22"}


class Typed(bytes):
    """A value that says what it is: ``content_type`` is the media type of its part."""

    content_type = b""


def multipart_encoded(pairs: Iterable[tuple[str | bytes, str | bytes]], encoding: str) -> tuple[bytes, bytes]:
    """Return the body of a form sent as multipart/form-data, and its Content-Type."""
    parts = []
    for name, value in pairs:
        head = b'Content-Disposition: form-data; name="%b"' % _octets(_escaped(name), encoding)
        if isinstance(value, NoFile):
            head += b'; filename=""\r\nContent-Type: application/octet-stream'
        elif isinstance(value, Typed):
            head += b"\r\nContent-Type: " + value.content_type
        parts.append(b"%b\r\n\r\n%b\r\n" % (head, _octets(value, encoding)))
    boundary = b"----FormBoundary" + blake2b(b"\0".join(parts), digest_size=12).hexdigest().encode()
    body = b"".join(b"--%b\r\n%b" % (boundary, part) for part in parts) + b"--%b--\r\n" % boundary
    return body, b"multipart/form-data; boundary=" + boundary


def plain_encoded(pairs: Iterable[tuple[str | bytes, str | bytes]], encoding: str) -> tuple[bytes, bytes]:
    """Return the body of a form sent as text/plain, and its Content-Type."""
    lines = [b"%b=%b\r\n" % (_octets(name, encoding), _octets(value, encoding)) for name, value in pairs]
    return b"".join(lines), b"text/plain"


def _escaped(name: str | bytes) -> str | bytes:
    if isinstance(name, str):
        return name.translate(_IN_NAMES)
    return name.replace(b"\r", b"%0D").replace(b"\n", b"%0A").replace(b'"', b"%22")


def _octets(text: str | bytes, encoding: str) -> bytes:
    return text if isinstance(text, bytes) else encode(text, output_encoding(encoding), "&#{};")
