"""Is this an address that a page from the network may make us dial?

Judged on the address that is dialled, after the name was resolved: so decimal or hexadecimal spellings,
mapped addresses and names that change their address between two look-ups all end here.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from crawler.download.net.special_addresses import GLOBAL_UNICAST, SPECIAL_IPV4, SPECIAL_IPV6
from crawler.model.url import is_address

_NAT64 = ip_network("64:ff9b::/96")


def is_public(text: str) -> bool:
    """Tell whether an IP address (a zone index is allowed) belongs to the public network."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in SPECIAL_IPV4)
    if carried := _carried(address):
        return all(is_public(str(inner)) for inner in carried)
    return address in GLOBAL_UNICAST and not any(address in network for network in SPECIAL_IPV6)


def may_be_public(host: str) -> bool:
    """Tell whether a host that somebody else will resolve can be a public one.

    Names of this machine (RFC 6761 section 6.3) are not: a proxy would take itself for it.
    """
    name = host.removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return False
    return is_public(host) if is_address(host) else True


def _carried(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses that packets to this one go to: mapped, 6to4, Teredo (its server and its client)."""
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    value = int(address)
    # "::a.b.c.d" (RFC 4291 section 2.5.5.1) and NAT64 (RFC 6052) carry it in the last 32 bits.
    if address in _NAT64 or (value >> 32 == 0 and value > 0xFFFF):
        return (IPv4Address(value & 0xFFFFFFFF),)
    return ()
