"""What does ``import crawler.scrapy.door`` do, as the first line of a script? ``import scrapy`` gives ours after it.

The commands open the door by themselves: in a project of Scrapy's, and for a file that imports scrapy.
"""

from __future__ import annotations

from crawler.scrapy.adapters.finder import is_open, line, open_door

open_door()

__all__ = ["is_open", "line", "open_door"]
