"""Where was the selector before it had the name it has?"""

from crawler.scrapy.selector import Selector, SelectorList

__all__ = ["Selector", "SelectorList"]
