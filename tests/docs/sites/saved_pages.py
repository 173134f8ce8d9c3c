"""The sample bookshop."""

SLOW = True  # a crawl, a fetch, a crawl over the archive, and pytest
