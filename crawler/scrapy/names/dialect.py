"""What does the crawler ask, when a project says something that is not the crawler's own?

This module is a ``crawler.dialect.Dialect``.
"""

from __future__ import annotations

from crawler.scrapy.names.attributes import Engine, Signals, settings_of, warn_of_late
from crawler.scrapy.names.table import SCRAPY_NAMES, has_no_effect, in_our_words

__all__ = ["engine_of", "has_no_effect", "in_our_words", "names", "settings_of", "signals_of", "warn_of_late"]

names = SCRAPY_NAMES.keys()
signals_of = Signals
engine_of = Engine
