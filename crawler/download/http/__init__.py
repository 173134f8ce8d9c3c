"""Our own connection layer for HTTP: see downloader.py for the direct way in, agent/agent.py for Twisted's."""

from crawler.download.http.downloader import FastDownloader

__all__ = ["FastDownloader"]
