"""Which contracts are there?"""

from __future__ import annotations

from crawler import contracts as native
from crawler.scrapy.contracts import Contract


class UrlContract(native.Url, Contract):
    """``@url URL``."""


class CallbackKeywordArgumentsContract(native.CallbackArguments, Contract):
    """``@cb_kwargs {"name": value}``."""


class MetadataContract(native.Meta, Contract):
    """``@meta {"name": value}``."""


class MethodContract(native.Method, Contract):
    """``@method POST``."""


class BodyContract(native.Body, Contract):
    """``@body TEXT``."""


class HeaderContract(native.Header, Contract):
    """``@header NAME VALUE``."""


class CookieContract(native.Cookie, Contract):
    """``@cookie NAME VALUE``."""


class ReturnsContract(native.Returns, Contract):
    """``@returns items|requests [LEAST [MOST]]``."""


class ScrapesContract(native.Scrapes, Contract):
    """``@scrapes FIELD …``."""
