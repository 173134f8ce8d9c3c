"""What may spiders, pipelines, settings and scripts import?

Everything in ``__all__`` is the public API; the rest of the package may change.
"""

from __future__ import annotations

from crawler.assembly import crawl
from crawler.config.settings import Settings
from crawler.errors import (
    CloseSpider,
    CrawlerError,
    DropItem,
    FetchError,
    FetchTimeout,
    HttpError,
    IgnoreRequest,
    InvalidRequest,
    RequestDropped,
    RequestError,
    UsageError,
)
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.pipeline import Pipeline
from crawler.policy.verdict import Drop
from crawler.spider import Crawler, Spider
from crawler.summary import Summary

__version__ = "0.1.0"

__all__ = [
    "CloseSpider",
    "Crawler",
    "CrawlerError",
    "Drop",
    "DropItem",
    "FetchError",
    "FetchTimeout",
    "HttpError",
    "IgnoreRequest",
    "InvalidRequest",
    "Pipeline",
    "Request",
    "RequestDropped",
    "RequestError",
    "Response",
    "Settings",
    "Spider",
    "Summary",
    "UsageError",
    "crawl",
]
