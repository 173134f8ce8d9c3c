"""Which addresses belong to no ordinary host of the public network?

Every block of IANA's special-purpose address registries (RFC 6890; iana-ipv4-special-registry and
iana-ipv6-special-registry, as of 2025), also those that are routed: relays and sinks, behind which nobody publishes a
page. Those that only carry an IPv4 address are not here: ``guard`` judges what they carry. Multicast has registries of
its own (RFC 5771, RFC 4291).
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Final

_IPV4 = """
0.0.0.0/8          "this network" (RFC 791)
10.0.0.0/8         private use (RFC 1918)
100.64.0.0/10      shared address space of carriers (RFC 6598)
127.0.0.0/8        loopback (RFC 1122)
169.254.0.0/16     link local (RFC 3927)
172.16.0.0/12      private use (RFC 1918)
192.0.0.0/24       IETF protocol assignments (RFC 6890), with all blocks inside it
192.0.2.0/24       documentation (RFC 5737)
192.31.196.0/24    AS112 (RFC 7535)
192.52.193.0/24    multicast tunnelling, AMT (RFC 7450)
192.88.99.0/24     anycast of 6to4 relays (RFC 7526) and of 6a44 (RFC 6751)
192.168.0.0/16     private use (RFC 1918)
192.175.48.0/24    AS112, direct delegation (RFC 7534)
198.18.0.0/15      benchmarks (RFC 2544)
198.51.100.0/24    documentation (RFC 5737)
203.0.113.0/24     documentation (RFC 5737)
224.0.0.0/4        multicast (RFC 5771)
240.0.0.0/4        reserved (RFC 1112), with the limited broadcast address
"""

# The rest of IPv6 outside 2000::/3 is special, or not given out (RFC 4291 section 2.4).
_IPV6 = """
2001::/23          IETF protocol assignments (RFC 2928), with all blocks inside it
2001:db8::/32      documentation (RFC 3849)
2620:4f:8000::/48  AS112, direct delegation (RFC 7534)
3fff::/20          documentation (RFC 9637)
"""

SPECIAL_IPV4: Final = tuple(IPv4Network(line.split()[0]) for line in _IPV4.split("\n") if line)
SPECIAL_IPV6: Final = tuple(IPv6Network(line.split()[0]) for line in _IPV6.split("\n") if line)
GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
