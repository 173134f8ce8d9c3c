"""Is this an address that a page from the network may make us dial?

Judged on the address that is dialled, after the name was resolved: so decimal or hexadecimal spellings,
mapped addresses and names that change their address between two look-ups all end here.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from crawler.model.url import is_address

# RFC 6598 (carrier NAT), RFC 6890 and RFC 9637, beyond what is_global says in every supported Python.
_MORE = [ip_network(text) for text in ("100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "3fff::/20")]
# RFC 4291 section 2.4: the rest of IPv6 is special or not given out.
_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")


def is_public(text: str) -> bool:
    """Tell whether an IP address (a zone index is allowed) belongs to the public network."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    inner = _embedded(address)
    if inner is not None:
        return is_public(str(inner))
    if address.version == 6 and address not in _UNICAST:
        return False
    if address.is_multicast or any(address in network for network in _MORE if network.version == address.version):
        return False
    return address.is_global


def may_be_public(host: str) -> bool:
    """Tell whether a host that somebody else will resolve can be a public one.

    Names of this machine (RFC 6761 section 6.3) are not: a proxy would take itself for it.
    """
    name = host.removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return False
    return is_public(host) if is_address(host) else True


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that packets to this one end up at."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    value = int(address)
    # "::a.b.c.d" (RFC 4291 section 2.5.5.1) and NAT64 (RFC 6052) carry it in the last 32 bits.
    if address in _NAT64 or (value >> 32 == 0 and value > 0xFFFF):
        return IPv4Address(value & 0xFFFFFFFF)
    return None
