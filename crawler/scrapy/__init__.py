"""The names and habits of Scrapy, over what the crawler has: loaded when a project uses one of them."""
