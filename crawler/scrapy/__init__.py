"""The names and habits of Scrapy, over what the crawler has: this package is what ``import scrapy`` gives.

Behind the door (``crawler.scrapy.door``) each module below is the one of that name of Scrapy's. What the names mean is
in ``names``, Scrapy's objects as parts of the engine's crawl in ``adapters``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "2.19.0"
version_info = (2, 19, 0)

_HOME_OF = {
    "Field": "item",
    "FormRequest": "http",
    "Item": "item",
    "Request": "http",
    "Selector": "selector",
    "Spider": "spiders",
}

__all__ = ["Field", "FormRequest", "Item", "Request", "Selector", "Spider", "__version__", "version_info"]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value
