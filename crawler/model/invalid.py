"""Which error says that a request may not be built? (The tree of all errors is in crawler.errors.)

It lies below the values, which raise it, so that the other errors may be typed with the values they carry.
"""

from __future__ import annotations


class CrawlerError(Exception):
    """Any error this program raises on purpose."""

    __module__ = "crawler.errors"


class InvalidRequest(CrawlerError, ValueError):
    """A request that may not be built or sent: the message names the part and why."""

    __module__ = "crawler.errors"
