"""Is every block of IANA's special-purpose registries private to DENY_PRIVATE_ADDRESSES?

The rows are those of iana-ipv4-special-registry and iana-ipv6-special-registry, in their order.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest

from crawler.download.net.guard import is_public

IPV4 = """0.0.0.0/8 0.0.0.0/32 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
192.0.0.0/29 192.0.0.8/32 192.0.0.9/32 192.0.0.10/32 192.0.0.170/32 192.0.0.171/32 192.0.2.0/24 192.31.196.0/24
192.52.193.0/24 192.88.99.0/24 192.88.99.2/32 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24
203.0.113.0/24 240.0.0.0/4 255.255.255.255/32"""
IPV6 = """::1/128 ::/128 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001:1::1/128 2001:1::2/128 2001:1::3/128
2001:2::/48 2001:3::/32 2001:4:112::/48 2001:10::/28 2001:20::/28 2001:30::/28 2001:db8::/32 2620:4f:8000::/48
3fff::/20 5f00::/16 fc00::/7 fe80::/10"""
MULTICAST = ["224.0.0.0/4", "ff00::/8"]


@pytest.mark.parametrize("row", [*IPV4.split(), *IPV6.split(), *MULTICAST])
def test_a_special_purpose_block_is_private_from_its_first_address_to_its_last(row: str) -> None:
    block = ip_network(row)
    for address in (block[0], block[block.num_addresses // 2], block[-1]):
        assert not is_public(str(address))


def ways_to(address: str) -> list[str]:
    """Return the IPv6 addresses that carry an IPv4 one: mapped, compatible, 6to4, NAT64, Teredo's client and server."""
    value = int(IPv4Address(address))
    turned = value ^ 0xFFFFFFFF  # RFC 4380 section 4
    public = int(IPv4Address("8.8.8.8"))
    teredo = 0x20010000 << 96
    return [
        f"::ffff:{address}",
        f"::{address}",
        str(IPv6Address((0x2002 << 112) | (value << 80) | 1)),
        f"64:ff9b::{address}",
        str(IPv6Address(teredo | (public << 64) | turned)),
        str(IPv6Address(teredo | (value << 64) | (public ^ 0xFFFFFFFF))),
    ]


@pytest.mark.parametrize("row", [row for row in [*IPV4.split(), "224.0.0.0/4"] if not row.startswith("0.0.0.0")])
def test_what_carries_a_special_address_is_judged_by_that(row: str) -> None:
    assert [way for way in ways_to(str(ip_network(row)[0])) if is_public(way)] == []


def test_what_carries_a_public_address_is_public() -> None:
    assert [way for way in ways_to("93.184.215.14") if not is_public(way)] == []


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0",
        "192.0.1.0", "192.88.98.255", "192.88.100.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
        "2001:200::1", "2606:4700::1111", "2620:4f:8001::1", "2a00::1", "3fff:1000::1",
    ],
)  # fmt: skip
def test_the_neighbours_of_special_blocks_are_public(address: str) -> None:
    assert is_public(address)
