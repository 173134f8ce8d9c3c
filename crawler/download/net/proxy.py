"""Which proxy is meant, and how is it named and told who asks?"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import NamedTuple
from urllib.parse import quote

from crawler.errors import InvalidRequest, ProxyError
from crawler.model.url import normalise, shortened, split

PROXY_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


class Proxy(NamedTuple):
    """A proxy: ``label`` is its URL without the credentials, fit for messages."""

    scheme: str
    host: str
    port: int
    username: str
    password: str

    @property
    def label(self) -> str:
        """The proxy as messages name it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def authorization(self) -> bytes | None:
        """The value of Proxy-Authorization (Basic, RFC 7617), or None."""
        if not self.username and not self.password:
            return None
        return b"Basic " + b64encode(f"{self.username}:{self.password}".encode())


def parse_proxy(text: str) -> Proxy:
    """Read "http://user:password@host:port"; raises ProxyError."""
    shown = shortened(text.rpartition("@")[2])
    try:
        parts = split(normalise(text if "://" in text else f"http://{text}"))
    except InvalidRequest as error:
        raise ProxyError(f"not a proxy URL: {shown!r}", sent=False) from error
    if parts.scheme not in PROXY_PORTS or not parts.host:
        raise ProxyError(f"not a proxy URL (http, https or socks5): {shown!r}", sent=False)
    port = parts.port or PROXY_PORTS[parts.scheme]
    return Proxy(parts.scheme, parts.host, port, parts.username, parts.password)


def with_authorization(proxy: str, field: bytes) -> str:
    """Return a proxy's URL with the credentials of a Proxy-Authorization that was set by hand (Basic, RFC 7617).

    Those that are in the URL go first, and another kind of field stays what it is: a header for the proxy.
    """
    kind, _, encoded = field.strip().partition(b" ")
    if kind.lower() != b"basic" or "@" in proxy:
        return proxy
    try:
        username, _, password = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return proxy
    scheme, _, rest = proxy.rpartition("://")
    return f"{scheme or 'http'}://{quote(username, safe='')}:{quote(password, safe='')}@{rest}"


def refused_by(proxy: Proxy, *, sent: bool = True) -> ProxyError:
    """Return the error of a proxy that answered 407."""
    has = "refused the credentials" if proxy.authorization else "wants a user name and password"
    return ProxyError(f"the proxy {proxy.label} {has} (407)", sent=sent)
