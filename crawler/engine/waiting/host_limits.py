"""What may each host be asked, as the settings have it?"""

from __future__ import annotations

from crawler.config.schema import CoreSettings
from crawler.frontier.host import HostLimits, LimitsByHost


def limits_of(core: CoreSettings) -> LimitsByHost:
    """Return the general limits, and for the hosts in DOWNLOAD_SLOTS their own."""
    general = HostLimits(core.CONCURRENT_REQUESTS_PER_DOMAIN, core.DOWNLOAD_DELAY, core.RANDOMIZE_DOWNLOAD_DELAY)
    own = {
        host: HostLimits(
            slot.get("concurrency", general.concurrency),
            slot.get("delay", general.delay),
            bool(slot.get("jitter", slot.get("randomize_delay", general.jitter))),
        )
        for host, slot in core.DOWNLOAD_SLOTS.items()
    }
    own[""] = HostLimits(core.CONCURRENT_REQUESTS, 0.0, False)  # file: and data: have no host to be polite to
    return LimitsByHost(general, own)
