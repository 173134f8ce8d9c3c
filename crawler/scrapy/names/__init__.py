"""What Scrapy's names mean here: its settings, attributes and modules, as tables."""
