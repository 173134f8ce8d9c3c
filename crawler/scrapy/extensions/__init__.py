"""The extensions that Scrapy brings, as names that can be switched off and classes that can be derived from."""
