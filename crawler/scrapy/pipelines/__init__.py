"""The pipelines that Scrapy brings: files and images."""
