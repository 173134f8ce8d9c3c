"""How does a proxy let us through to somebody else?"""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address

from twisted.internet.error import ConnectionDone, ConnectionLost

from crawler.download.net.preamble import Preamble
from crawler.download.net.proxy import Proxy, refused_by
from crawler.download.wire.head import HeadLimits, find_end, parse_head
from crawler.errors import BadResponse, ProxyError
from crawler.model.url import is_address, shortened

_MAX_HEAD = HeadLimits(8192, 200, 65_536)

# RFC 1928 section 6.
_SOCKS_REPLIES = {
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "time to live expired",
    7: "it does not know CONNECT",
    8: "it does not know this type of address",
}


async def connect_through(preamble: Preamble, proxy: Proxy, host: str, port: int) -> None:
    """Open a tunnel by CONNECT (RFC 9110 section 9.3.6). Raises ProxyError."""
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    request = "\r\n".join(lines).encode("ascii") + b"\r\n"
    if proxy.authorization is not None:
        request += b"Proxy-Authorization: " + proxy.authorization + b"\r\n"
    preamble.write(request + b"\r\n")
    try:
        head = parse_head(await preamble.read(find_end), "CONNECT", _MAX_HEAD)
        while head.status < 200 and head.status != 101:
            head = parse_head(await preamble.read(find_end), "CONNECT", _MAX_HEAD)
    except (ConnectionDone, ConnectionLost) as error:
        raise ProxyError(f"the proxy {proxy.label} closed instead of answering CONNECT", sent=False) from error
    except BadResponse as error:
        raise ProxyError(f"the proxy {proxy.label} does not answer in HTTP: {error}", sent=False) from error
    if head.status == 407:
        raise refused_by(proxy, sent=False)
    if head.status >= 300 or head.status == 101:
        reason = shortened(head.reason.decode("latin-1"))
        raise ProxyError(f"the proxy {proxy.label} refused a tunnel to {authority}: {head.status} {reason}", sent=False)


async def socks_through(preamble: Preamble, proxy: Proxy, host: str, port: int) -> None:
    """Ask a SOCKS5 proxy (RFC 1928, credentials RFC 1929) for a connection; names are resolved by it."""
    try:
        await _socks_login(preamble, proxy)
        preamble.write(b"\x05\x01\x00" + _socks_address(host) + port.to_bytes(2, "big"))
        version, reply, _, kind = await preamble.read(4)
        if version != 5:
            raise ProxyError(f"the proxy {proxy.label} does not speak SOCKS5", sent=False)
        if reply != 0:
            reason = _SOCKS_REPLIES.get(reply, f"error {reply}")
            raise ProxyError(f"the proxy {proxy.label} did not connect to {host}:{port}: {reason}", sent=False)
        length = {1: 4, 4: 16}.get(kind)
        if length is None:
            length = (await preamble.read(1))[0]
        await preamble.read(length + 2)
    except (ConnectionDone, ConnectionLost) as error:
        raise ProxyError(f"the proxy {proxy.label} closed in the middle of SOCKS5", sent=False) from error


async def _socks_login(preamble: Preamble, proxy: Proxy) -> None:
    wants_login = bool(proxy.username or proxy.password)
    preamble.write(b"\x05\x02\x00\x02" if wants_login else b"\x05\x01\x00")
    version, method = await preamble.read(2)
    if version != 5:
        raise ProxyError(f"the proxy {proxy.label} does not speak SOCKS5", sent=False)
    if method == 2 and wants_login:
        username, password = proxy.username.encode(), proxy.password.encode()
        if len(username) > 255 or len(password) > 255:
            raise ProxyError("SOCKS5 user names and passwords have at most 255 bytes", sent=False)
        preamble.write(b"\x01%c%b%c%b" % (len(username), username, len(password), password))
        if (await preamble.read(2))[1] != 0:
            raise ProxyError(f"the proxy {proxy.label} refused the credentials", sent=False)
    elif method != 0:
        raise ProxyError(f"the proxy {proxy.label} wants a user name and password", sent=False)


def _socks_address(host: str) -> bytes:
    if is_address(host):
        address = ip_address(host)
        return (b"\x01" if isinstance(address, IPv4Address) else b"\x04") + address.packed
    name = host.encode("ascii")
    if len(name) > 255:
        raise ProxyError("SOCKS5 takes host names of at most 255 bytes", sent=False)
    return b"\x03%c%b" % (len(name), name)
