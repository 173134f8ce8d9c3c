"""Our own connection layer for HTTP: see downloader.py for the direct way in, agent.py for Twisted's."""

from crawler.download.fast.downloader import FastDownloader

__all__ = ["FastDownloader"]
