"""Which versions of what a crawl stands on are there?"""

from __future__ import annotations

import platform
from importlib.metadata import version

from crawler.scrapy.utils.misc import load_object

_PACKAGES = ("lxml", "cssselect", "parsel", "w3lib", "Twisted", "pyOpenSSL", "cryptography")


def get_versions(software: list[str] | None = None) -> list[tuple[str, str]]:
    """Return name and version of each. Raises PackageNotFoundError."""
    known = {
        "Scrapy": load_object("crawler.scrapy.__version__"),
        "Python": platform.python_version(),
        "Platform": platform.platform(),
    }
    return [(name, known.get(name) or version(name)) for name in software or [*known, *_PACKAGES]]
