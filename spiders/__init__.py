"""What to crawl: one spider a file."""
