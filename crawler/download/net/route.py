"""Which way does a request go, and what is the same for all requests that go there?

Connections are shared only within a route: same origin, same proxy, same local address. The TLS settings
follow from the host, which is part of the origin, so a verified connection never serves an unverified host
or the other way round.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any, NamedTuple

from crawler.download.wire.request import Destination
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


class Route(Destination):
    """One way to one origin, with its idle connections, the latest last."""

    __slots__ = (
        "bind_address",
        "connections",
        "host",
        "http2",
        "idle",
        "key",
        "port",
        "proxy",
        "secure",
        "shared",
        "waiting",
    )

    def __init__(self, key: Any, origin: str, proxy: Proxy | None, bind_address: str | None) -> None:
        parts = split(origin + "/")
        assert parts.port is not None
        # A tunnel through the proxy, or SOCKS, is as good as no proxy.
        plain = proxy is not None and parts.scheme == "http" and proxy.scheme in ("http", "https")
        secret = None if proxy is None else proxy.authorization
        super().__init__(parts.scheme, parts.host, parts.port, proxied=plain, authorization=secret)
        self.key = key
        self.host = parts.host
        self.port = parts.port
        self.secure = parts.scheme == "https"
        self.proxy = proxy
        self.bind_address = bind_address
        self.idle: list[Any] = []
        self.connections = 0
        # The connection that many exchanges share, if the peer speaks HTTP/2: None until the first connection
        # tells; the calls that come meanwhile wait for it, or each would open one.
        self.http2: bool | None = None
        self.shared: Any = None
        self.waiting: list[Any] | None = None

    def __repr__(self) -> str:
        via = f" via {self.proxy.label}" if self.proxy else ""
        return f"<Route {self.host}:{self.port}{via} connections={self.connections} idle={len(self.idle)}>"
