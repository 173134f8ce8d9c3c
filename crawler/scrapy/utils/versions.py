"""Which versions of what a crawl stands on are there?"""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version

from crawler.scrapy.utils.misc import load_object

_SOFTWARE = "lxml libxml2 cssselect parsel w3lib Twisted Python pyOpenSSL cryptography Platform"


def _version(name: str) -> str:
    from lxml.etree import LIBXML_VERSION

    match name.lower():
        case "scrapy":
            return str(load_object("crawler.scrapy.__version__"))
        case "libxml2":
            return ".".join(map(str, LIBXML_VERSION))
        case "platform":
            return platform.platform()
        case "python":
            return sys.version.replace("\n", "- ")
    return version(name)


def get_versions(software: list[str] | None = None) -> list[tuple[str, str]]:
    """Return name and version of each. Raises PackageNotFoundError."""
    return [(name, _version(name)) for name in software or f"Scrapy {_SOFTWARE}".split()]
