"""Ready-made spiders and the item loader, with the API that Scrapy documents for them."""
