"""Which contracts are there? Scrapy's names of those of crawler.contracts."""

from __future__ import annotations

__all__ = [
    *("BodyContract", "CallbackKeywordArgumentsContract", "CookieContract", "HeaderContract", "MetadataContract"),
    *("MethodContract", "ReturnsContract", "ScrapesContract", "UrlContract"),
]
