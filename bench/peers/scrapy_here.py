"""How do we crawl the shop by the script that was written for Scrapy? Its variants are scrapy_shop's."""

from __future__ import annotations

import crawler.scrapy.door  # noqa: F401  (from here on, `import scrapy` is ours)
from bench.peers.scrapy_shop import main

if __name__ == "__main__":
    main()
