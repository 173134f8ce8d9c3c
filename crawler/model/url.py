"""What is a URL's one normal form, and which parts has it?

The only place that knows URLs. The rules are WHATWG's (https://url.spec.whatwg.org/), by ada-url: what
is sent is what a browser would send. Parsing costs 4 µs, and most links of most pages are normal
already, so a regular expression that accepts a safe subset of normal URLs goes first (under 1 µs).

All functions except ``normalise``, ``join`` and ``Base`` take a URL in normal form.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from ipaddress import ip_address
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote

from ada_url import join_url, normalize_url

from crawler.model.invalid import InvalidRequest
from crawler.model.masking import masked
from crawler.model.octets import encode, output_encoding

DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21, "ws": 80, "wss": 443}

# A subset of what the standard leaves as it is. Hosts: the last label starts with a letter (else it could
# be an IPv4 address in disguise) and none is Punycode (which would have to be validated). Paths: no segment
# starts with a dot, also not written %2e. No default port.
_CHARACTERS = r"[\w~!$&()*+,;=:@.|/-]*"
_PATH = rf"{_CHARACTERS}(?:%(?!2[eE]){_CHARACTERS})*"
_QUERY = r"(?:\?[\w~!$&()*+,;=:@.|/?%-]*)?"
_HOST = r"(?!xn--)(?:[a-z0-9_-]+\.(?!xn--))*[a-z](?:[a-z0-9-]*[a-z0-9])?"
_IPV4 = r"(?:(?:0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])\.){3}(?:0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])"
_PORT = r"(?::(?!80/|443/)(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}))?"
is_plain_url = re.compile(rf"https?://(?:{_HOST}|{_IPV4}){_PORT}/{_PATH}{_QUERY}", re.ASCII).fullmatch
is_plain_path = re.compile(rf"{_PATH}{_QUERY}", re.ASCII).fullmatch
_SPLIT = re.compile(
    r"([a-z][a-z0-9+.-]*):(?://(?:([^/?#@]*)@)?(\[[^\]/?#]*\]|[^:/?#]*)(?::(\d*))?)?([^?#]*)(?:\?([^#]*))?(?:#(.*))?",
    re.ASCII | re.DOTALL,
).fullmatch

_SPACE = "\t\n\f\r "
_FORBIDDEN = re.compile("[\r\n\0]").search
_SURROGATES = re.compile("[\ud800-\udfff]")
_NON_ASCII = re.compile(r"[^\x00-\x7f]+")
_ESCAPE = re.compile("%[0-9a-fA-F]{2}")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class UrlParts(NamedTuple):
    """The parts of a normal URL. ``port`` is the effective one; ``host`` of ``[::1]`` is ``::1``."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str | None
    fragment: str | None
    username: str
    password: str


def normalise(url: str, *, base: str | None = None, encoding: str = "utf-8") -> str:
    """Return the WHATWG normal form of a URL; raises InvalidRequest that says what is wrong.

    ``base`` resolves a relative one. Non-ASCII characters of the query are percent-encoded in
    ``encoding`` first, as a browser does with the page's. CR, LF and NUL inside are refused here;
    in a link (see ``join``) line ends are stripped, and at both ends here (lines of a file).
    """
    if base is None and is_plain_url(url) and "/." not in url:
        return url
    url = url.strip(_SPACE)
    if _FORBIDDEN(url):
        raise InvalidRequest(f"URL contains CR, LF or NUL: {shortened(url)!r}")
    return _parse(url, base, encoding)


def _parse(url: str, base: str | None, encoding: str) -> str:
    if not url.isascii():
        url = _encode_query(_SURROGATES.sub("\ufffd", url), encoding)
    try:
        return normalize_url(url) if base is None else join_url(base, url)
    except ValueError as error:
        raise InvalidRequest(f"not a URL: {shortened(url)!r} ({_reason(url, base)})") from error


def _reason(url: str, base: str | None) -> str:
    if not url and base is None:
        return "it is empty"
    scheme, colon, rest = url.partition(":")
    if base is None and not (colon and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme)):
        return "the scheme is missing: http:// or https://?"
    authority = re.split(r"[/?#\\]", rest.lstrip("/\\"), maxsplit=1)[0]
    return f"its host or port is not valid: {shortened(authority.rpartition('@')[2])!r}"


def shortened(text: str, limit: int = 200) -> str:
    """Return a text as messages show it: without passwords, cut, with its length, if it is longer than ``limit``."""
    text = masked(text)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def _encode_query(url: str, encoding: str) -> str:
    """Percent-encode the query's non-ASCII in a legacy encoding (WHATWG "percent-encode after encoding")."""
    if "?" not in url or (encoding := output_encoding(encoding)) in ("utf-8", "ascii"):
        return url
    address, mark, fragment = url.partition("#")
    path, question, query = address.partition("?")
    return path + question + _NON_ASCII.sub(lambda run: _percent(run[0], encoding), query) + mark + fragment


def _percent(characters: str, encoding: str) -> str:
    try:
        raw = encode(characters, encoding, "%26%23{}%3B")
    except LookupError:
        raw = characters.encode()
    return "".join(chr(byte) if 0x20 < byte < 0x7F and byte not in b"\"#<>'" else f"%{byte:02X}" for byte in raw)


def join(base: str, href: str, encoding: str = "utf-8") -> str:
    """Resolve a link of a page like a browser; raises InvalidRequest."""
    return _parse(href.translate(_STRIPPED), base, encoding)


_STRIPPED = {ord(character): None for character in "\t\r\n"}


def split(url: str) -> UrlParts:
    """Return the parts of a normal URL."""
    found = _SPLIT(url)
    if found is None:
        raise InvalidRequest(f"not a URL: {shortened(url)!r}")
    scheme, user, host, port, path, query, fragment = found.groups()
    username, _, password = (user or "").partition(":")
    host = host or ""
    if host.startswith("["):
        host = host[1:-1]
    effective = int(port) if port else DEFAULT_PORTS.get(scheme)
    return UrlParts(scheme, host, effective, path, query, fragment, unquote(username), unquote(password))


def is_http(url: str) -> bool:
    """Tell whether the scheme is http or https."""
    return url.startswith(("http://", "https://"))


def _authority(url: str) -> str:
    start = url.find("://") + 3
    if start == 2:
        return ""
    end = url.find("/", start)
    authority = url[start:] if end < 0 else url[start:end]
    if end < 0 or "?" in authority or "#" in authority:
        authority = re.split("[?#]", authority, maxsplit=1)[0]
    return authority.rpartition("@")[2] if "@" in authority else authority


def host_of(url: str) -> str:
    """Return the host name without port; an IPv6 address without brackets; "" if there is none."""
    return place_of(url)[0]


def place_of(url: str) -> tuple[str, str]:
    """Return host and origin. Thousands of links have few: up to its path the URL is looked up."""
    if url.startswith(("http://", "https://")) and (path := url.find("/", 8)) > 0:
        return _place(url[:path])
    return _host(url), _origin(url)


@lru_cache(maxsize=4096)
def _place(beginning: str) -> tuple[str, str]:
    return _host(beginning), _origin(beginning)


def _host(url: str) -> str:
    authority = _authority(url)
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0]


def is_address(host: str) -> bool:
    """Tell whether a host, without brackets, is an IP address and not a name."""
    if not host or not (host[-1].isdigit() or ":" in host):
        return False
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def origin_of(url: str) -> str:
    """Return "scheme://host:port" with the port always written (RFC 6454 §4)."""
    return place_of(url)[1]


def _origin(url: str) -> str:
    scheme = url.partition(":")[0]
    authority = _authority(url)
    if ":" in authority.rpartition("]")[2]:
        return f"{scheme}://{authority}"
    port = DEFAULT_PORTS.get(scheme)
    return f"{scheme}://{authority}:{port}" if port and authority else f"{scheme}://{authority}"


def with_query(url: str, query: str) -> str:
    """Return the URL with this query instead of its own, and without fragment."""
    path = url.partition("#")[0].partition("?")[0]
    return f"{path}?{query}" if query else path


def without_fragment(url: str) -> str:
    """Return the URL up to its fragment."""
    return url.partition("#")[0] if "#" in url else url


def without_credentials(url: str) -> str:
    """Return the URL without "user:password@"."""
    start = url.find("://") + 3
    end = len(url) if (slash := url.find("/", start)) < 0 else slash
    return url[:start] + url[url.rfind("@", start, end) + 1 :] if start > 2 and "@" in url[start:end] else url


def credentials_of(url: str) -> tuple[str, str] | None:
    """Return the decoded user name and password of a URL, or None."""
    if "@" not in url:
        return None
    parts = split(url)
    return (parts.username, parts.password) if parts.username or parts.password else None


def identity(url: str) -> str:
    """Return the form under which two URLs count as one page; it is never what is sent.

    The normal form without fragment; escapes of unreserved characters decoded and the others in upper
    case (RFC 3986 §6.2.2); query pairs sorted, empty ones dropped.
    """
    if "#" in url:
        url = url.partition("#")[0]
    if "%" in url:
        url = _ESCAPE.sub(lambda escape: canonical_escape(escape[0]), url)
    if "?" in url:
        path, _, query = url.partition("?")
        pairs = sorted(filter(None, query.split("&"))) if "&" in query else [query]
        url = f"{path}?{'&'.join(pairs)}" if pairs[:1] not in ([], [""]) else path
    return url


def canonical_escape(escape: str) -> str:
    """Return the one spelling of an escape such as ``%7e`` (RFC 3986 §6.2.2): the character, if it is unreserved."""
    character = chr(int(escape[1:], 16))
    return character if character in _UNRESERVED else escape.upper()


class Sendable(Protocol):
    """A request, as far as it matters here."""

    normal_url: str
    method: str
    body: bytes

    @property
    def meta(self) -> dict[str, Any]: ...


def fingerprint(request: Sendable) -> int:
    """Return 64 bits (unsigned) that name a request: its method, the identity of its URL, what it sends."""
    url = request.normal_url
    if "?" in url or "%" in url or "#" in url:
        url = identity(url)
    text = f"{request.method} {url}\n"
    content = request.body
    if request.method != "GET" and (files := request.meta.get("files")):
        content += repr(files).encode("utf-8", "replace")
    return int.from_bytes(blake2b(text.encode("utf-8", "replace") + content, digest_size=8).digest(), "big")


def domain_of(text: str) -> str:
    """Return the host name, as URLs have it, of "example.com", ".example.com", "*.example.com", "localhost:8000",
    "münchen.example" or a whole URL. Raises InvalidRequest for what names no host."""
    name = text.strip()
    host = host_of(normalise(name if "://" in name else f"http://{name.removeprefix('*').lstrip('.')}/")).rstrip(".")
    if not host:
        raise InvalidRequest(f"no host name: {text!r}")
    return host
