"""Ready-made spiders, the item loader and the signals, with the API that Scrapy documents for them."""

from crawler.generic import signals as signals
