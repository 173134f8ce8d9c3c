"""Which links of a page shall be followed, where a project was written for Scrapy?"""

from crawler.model.links import IGNORED_EXTENSIONS
from crawler.scrapy.linkextractors.lxmlhtml import LxmlLinkExtractor as LinkExtractor

__all__ = ["IGNORED_EXTENSIONS", "LinkExtractor"]
