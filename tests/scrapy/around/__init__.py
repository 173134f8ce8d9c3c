"""Spiders with middlewares and pipelines, as Scrapy itself ran them."""
