"""Prompts in a running crawl: words, and Python, by a Unix socket and over SSH."""
