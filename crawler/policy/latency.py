"""How fast may a host be asked, by how quickly it answers?

The rule of Scrapy's AutoThrottle (docs.scrapy.org, "AutoThrottle extension"): a host that needs ``latency`` seconds for
an answer is asked every ``latency / target_concurrency`` seconds, so that about that many requests are under way there
at once. The delay goes half of the way at a time when it falls, and all of it when it rises.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LatencyRules:
    """``target_concurrency``: requests that are to be under way at a host, above 0; the others are seconds."""

    target_concurrency: float = 1.0
    start_delay: float = 5.0
    max_delay: float = 60.0


def delay_after(delay: float, *, latency: float, status: int, least: float, rules: LatencyRules) -> float:
    """Return the delay after an answer that took ``latency`` seconds; ``least`` is the configured one.

    Only a 200 makes a host faster: error pages and redirects come quickly and say nothing of the others.
    """
    target = latency / rules.target_concurrency
    new = min(max(least, target, (delay + target) / 2), max(rules.max_delay, least))
    return delay if status != 200 and new <= delay else new
