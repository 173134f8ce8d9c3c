"""With what does a downloader reach the network, as the settings want it?"""

from __future__ import annotations

import time
from collections.abc import Callable

from crawler.config.schema import CoreSettings
from crawler.download.net.deadlines import Deadlines
from crawler.download.net.dial import Dialler, checked_bind_address
from crawler.download.net.interfaces import Reactor
from crawler.download.net.names import Lookup, Names
from crawler.download.net.resolvers import SystemLookup, TwistedLookup


class Network:
    """What dials and what keeps the time. ``clock`` is monotonic, in seconds; ``lookup`` replaces DNS_RESOLVER."""

    def __init__(
        self,
        settings: CoreSettings,
        reactor: Reactor,
        *,
        clock: Callable[[], float] = time.monotonic,
        lookup: Lookup | None = None,
    ) -> None:
        self.reactor = reactor
        self.clock = clock
        self.bind_address = checked_bind_address(settings.BIND_ADDRESS)
        self.deny_private = settings.DENY_PRIVATE_ADDRESSES
        self.deadlines = Deadlines(reactor, clock)
        if lookup is None:
            lookup = TwistedLookup(reactor) if settings.DNS_RESOLVER == "twisted" else SystemLookup(reactor)
        self.names = Names(
            lookup,
            reactor=reactor,
            clock=clock,
            size=settings.DNS_CACHE_SIZE,
            ttl=settings.DNS_TTL,
            negative_ttl=settings.DNS_NEGATIVE_TTL,
            timeout=settings.DNS_TIMEOUT,
        )
        timeout = settings.DOWNLOAD_CONNECT_TIMEOUT
        self.dialler = Dialler(reactor, self.names, timeout=timeout, deny_private=self.deny_private)

    def close(self) -> None:
        """Look no more names up."""
        self.names.close()
