"""Which contracts are there? Scrapy's names of those of crawler.contracts."""

from __future__ import annotations

from crawler import contracts

UrlContract, MethodContract, BodyContract = contracts.Url, contracts.Method, contracts.Body
HeaderContract, CookieContract, MetadataContract = contracts.Header, contracts.Cookie, contracts.Meta
CallbackKeywordArgumentsContract = contracts.CallbackArguments
ReturnsContract, ScrapesContract = contracts.Returns, contracts.Scrapes
