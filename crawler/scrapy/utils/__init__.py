"""The functions that Scrapy's own modules share, and its users' projects import."""
