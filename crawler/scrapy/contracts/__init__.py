"""What may a contract in a callback's docstring be? (docs.scrapy.org, "Spiders Contracts"; `crawler check`)"""

from __future__ import annotations

from crawler.contracts import Contract

__all__ = ["Contract"]
