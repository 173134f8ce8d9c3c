"""Where do the items of a crawl go: which feeds, in which formats?"""

from __future__ import annotations

from crawler.feeds.formats import Format, FormatOptions
from crawler.feeds.make import make_feeds
from crawler.feeds.names import parse_output
from crawler.feeds.seam import Feed

__all__ = ["Feed", "Format", "FormatOptions", "make_feeds", "parse_output"]
