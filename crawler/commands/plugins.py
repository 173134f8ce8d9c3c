"""What becomes of the packages that extend Scrapy: which work as they are, and what stands in for the others?"""

from __future__ import annotations

from typing import NamedTuple


class Plugin(NamedTuple):
    """A package by the name it is imported by. ``works``: as it is, behind the door; ``note``: what stands in."""

    works: bool
    note: str


_WORKS = "its middlewares and pipelines are plain classes and run as they are"
_BROWSER = "it is a download handler on Scrapy's own engine; pages that need a browser are fetched by"
_PROXY = "it runs as it is; PROXIES of this crawler rotates proxies by itself"
_STORE = "the queue of several machines is JOB_STORE with --workers (docs/scale.md); items go to Redis by a pipeline"

PLUGINS: dict[str, Plugin] = {
    "scrapy_playwright": Plugin(False, f"{_BROWSER} a downloader of one's own with playwright in it (docs/schemes.md)"),
    "scrapy_selenium": Plugin(True, "its middleware runs as it is, and blocks while the browser loads a page"),
    "scrapy_splash": Plugin(
        True, "its middlewares run as they are; its DUPEFILTER_CLASS is not needed, its cache storage has no effect"
    ),
    "scrapy_redis": Plugin(False, _STORE),
    "scrapy_redis_bloomfilter": Plugin(False, _STORE),
    "scrapy_redis_cluster": Plugin(False, _STORE),
    "scrapy_zyte_api": Plugin(False, f"{_BROWSER} its proxy mode: PROXIES with the address of the service"),
    "scrapy_zyte_smartproxy": Plugin(True, _PROXY),
    "scrapy_crawlera": Plugin(True, _PROXY),
    "scrapy_proxies": Plugin(True, _PROXY),
    "rotating_proxies": Plugin(True, _PROXY),
    "scrapy_rotating_proxies": Plugin(True, _PROXY),
    "scrapy_poet": Plugin(False, "it replaces the engine's call of callbacks; a callback can make web-poet's pages"),
    "scrapy_spider_metadata": Plugin(True, _WORKS),
    "scrapy_impersonate": Plugin(False, f"{_BROWSER} a downloader of one's own (docs/schemes.md)"),
    "scrapy_cloudflare_middleware": Plugin(True, _WORKS),
    "scrapy_deltafetch": Plugin(True, "it runs as it is; --since and --only-new do the same (docs/second_runs.md)"),
    "scrapy_magicfields": Plugin(True, _WORKS),
    "scrapy_jsonrpc": Plugin(False, "it opens a port into Scrapy's engine; `crawler jobs` and `crawler explain` tell"),
    "scrapy_djangoitem": Plugin(True, "its items are Item classes with a model"),
    "scrapy_user_agents": Plugin(True, _WORKS),
    "scrapy_useragents": Plugin(True, _WORKS),
    "scrapy_fake_useragent": Plugin(True, _WORKS),
    "random_useragent": Plugin(True, _WORKS),
    "scrapy_mongodb": Plugin(True, _WORKS),
    "scrapyelasticsearch": Plugin(True, _WORKS),
    "scrapy_sentry": Plugin(True, "its extension listens to signals, which are all here"),
    "spidermon": Plugin(True, "its extension and pipelines listen to signals and read stats, which are all here"),
    "scrapyd": Plugin(False, "it starts `scrapy crawl` in processes of its own; `crawler crawl` under the system's own "
                             "service or a queue of tasks does that (docs/scripts.md)"),
    "scrapyd_client": Plugin(False, "it deploys to scrapyd; see scrapyd"),
    "scrapyrt": Plugin(False, "crawler.run() in a web framework gives items on demand (docs/scripts.md)"),
    "crochet": Plugin(True, "crawler.run_blocking() does what it is used for"),
}  # fmt: skip
"""Those seen most often in public projects."""
